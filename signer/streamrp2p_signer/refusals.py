"""Why a ticket is not signed. Each refusal says what to do, and carries its reason as data."""

from enum import StrEnum

from streamrp2p.errors import StreamrP2PError


class SignerError(StreamrP2PError):
    """Root of the ticket signer's own failures."""


class SignerSetupError(SignerError):
    """A folder, key, setting or port that the signer cannot work with."""

    is_usage = True


class Reason(StrEnum):
    """Why a request is refused; the last part of the problem's `type`."""

    BAD_REQUEST = "bad-request"
    BODY_TOO_LARGE = "body-too-large"
    REQUEST_TOO_SLOW = "request-too-slow"
    OTHER_CHAIN = "other-chain"
    UNKNOWN_ASKER = "unknown-asker"
    REQUEST_STALE = "request-stale"
    POOL_NOT_SERVED = "pool-not-served"
    WRONG_EPOCH = "wrong-epoch"
    TICKET_TOO_LARGE = "ticket-too-large"
    OVER_EPOCH_BUDGET = "over-epoch-budget"
    OVER_DAY_BUDGET = "over-day-budget"
    TOO_MANY_SESSIONS = "too-many-sessions"
    STORAGE_FAILED = "storage-failed"


class RefusedError(SignerError):
    """A request that is refused for `reason`; `retry_after_seconds` is there where time alone helps."""

    def __init__(self, reason: Reason, detail: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
