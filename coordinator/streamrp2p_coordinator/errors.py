"""The coordinator's expected failures. Those that a client causes know their HTTP status and problem slug."""

from typing import ClassVar

from streamrp2p.chain import DemandRecord
from streamrp2p.errors import StreamrP2PError


class CoordinatorError(StreamrP2PError):
    """Root of the coordinator's own failures."""


class ConfigurationError(CoordinatorError):
    """The coordinator cannot run as it is configured; the message says what to change."""


class ChainMismatchError(CoordinatorError):
    """The chain holds what this database does not know; the message says what to restore."""


class UnansweredDemandError(CoordinatorError):
    """Data of a pending header is demanded that cannot be shown; `answer_by` in Unix seconds."""

    def __init__(self, demand: DemandRecord, reason: object) -> None:
        chunk, epoch = demand.demanded.chunk, demand.demanded.epoch
        super().__init__(
            f"demand 0x{demand.demand_id.hex()} ({chunk.tree.name.lower()} tree of epoch {epoch}, level {chunk.level}, "
            f"index {chunk.index}) is not answered, and from Unix time {demand.answer_by} on anyone may void the "
            f"header and take half of the bond: {reason}"
        )
        self.answer_by = demand.answer_by


class BackupError(CoordinatorError):
    """A backup that cannot be made or used; the message says what to do."""


class NotLeaderError(CoordinatorError):
    """This process settles and posts no more; what it was about to write was not written."""

    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "another process leads now, or the database took the lead back because this one was silent; nothing was "
            "written, and the leader goes on"
        )


class RequestError(CoordinatorError):
    """A request that is answered with a problem (RFC 9457)."""

    status: ClassVar[int] = 422
    slug: ClassVar[str] = "invalid-request"
    title: ClassVar[str] = "The request is not valid"
    retry_after_seconds: int | None = None
    expected_nonce: int | None = None


class UnauthorizedError(RequestError):
    """Only who shows a token may: the operator's, or that of a sign-in that lasts."""

    status = 401
    slug = "unauthorized"
    title = "The token is missing or wrong"


class NotFoundError(RequestError):
    """There is no such thing here."""

    status = 404
    slug = "not-found"
    title = "Not found"


class InvalidSignatureError(RequestError):
    """A signature of the request does not hold."""

    slug = "invalid-signature"
    title = "A signature does not hold"


class InvalidSignInError(RequestError):
    """A sign-in message that is not for here and now, or whose nonce was used."""

    slug = "invalid-sign-in"
    title = "The sign-in does not hold"


class InvalidBatchError(RequestError):
    """A batch whose records, count and root do not agree."""

    slug = "invalid-batch"
    title = "The batch does not agree with itself"


class TooLargeError(RequestError):
    """A request beyond a published limit."""

    status = 413
    slug = "too-large"
    title = "The request is too large"


class ConflictError(RequestError):
    """The request contradicts what is known."""

    status = 409
    slug = "conflict"
    title = "The request contradicts what is known"


class BatchConflictError(ConflictError):
    """The batch number was used for other records."""

    slug = "batch-conflict"
    title = "This batch number was used for other records"


class NonceError(ConflictError):
    """A registration out of order; `expected_nonce` is the one that must come next."""

    slug = "wrong-nonce"
    title = "The registration's nonce is not the next one"

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(
            f"the next registration of this node has nonce {expected}, this one has {found}; sign it again"
        )
        self.expected_nonce = expected


class DeadlineError(ConflictError):
    """A registration that is too late."""

    slug = "deadline-over"
    title = "The registration's deadline is over"


class PoolNotOpenError(ConflictError):
    """A pool that admits nobody now."""

    slug = "pool-not-open"
    title = "The pool is not open"


class ForeignTicketSignerError(ConflictError):
    """A pool whose tickets this coordinator must not sign."""

    slug = "foreign-ticket-signer"
    title = "Another key signs this pool's tickets"


class PoolExhaustedError(ConflictError):
    """A pool that cannot pay for more."""

    slug = "pool-exhausted"
    title = "The pool has nothing left to spend"


class NotFinalError(ConflictError):
    """A claim of an epoch that is not final."""

    slug = "epoch-not-final"
    title = "The epoch is not final"


class UnavailableError(RequestError):
    """The same request may succeed a little later."""

    status = 503
    slug = "unavailable"
    title = "Not available now"
    retryable = True

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TooOftenError(UnavailableError):
    """Asked for more often than one may."""

    status = 429
    slug = "too-often"
    title = "Asked too often"


class NoRelayError(UnavailableError):
    """No healthy node is left for a viewer."""

    slug = "no-relay"
    title = "No relay is available"


class TicketSignerError(UnavailableError):
    """The signer that the streamer runs itself does not answer, or does not admit the viewer."""

    slug = "ticket-signer-unavailable"
    title = "The streamer's ticket signer admits nobody now"


class ChainBehindError(UnavailableError):
    """The chain has not shown yet what a request must be judged by."""

    slug = "chain-behind"
    title = "The chain is not read far enough"


class StorageError(UnavailableError):
    """The database cannot be used now."""

    slug = "storage-unavailable"
    title = "The storage is not available"
