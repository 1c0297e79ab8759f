"""What can go wrong at a node. Each error says what to do; the refusals of requests carry their reason as data."""

from enum import StrEnum

from streamrp2p.errors import StreamrP2PError

RETRY_SECONDS = 2
"""When to ask again after a refusal that passes by itself, unless it is known better."""


class NodeError(StreamrP2PError):
    """Root of the node's own failures."""


class SettingsError(NodeError):
    """A setting, folder or machine that the node cannot work with."""

    is_usage = True


class PortInUseError(SettingsError):
    """Another process listens where the node should."""


class DirectoryInUseError(SettingsError):
    """Another node process works in this folder."""


class WrongDeploymentError(SettingsError):
    """The coordinator settles on another chain than the one that this folder's journals were signed for."""


class ClockSkewError(SettingsError):
    """This machine's clock and the coordinator's differ too much for signed times to be accepted."""


class NotRegisteredError(NodeError):
    """The coordinator took no record of a batch because it does not know the node (any more)."""

    retryable = True


class NotReachableError(NodeError):
    """The node has no address that viewers could reach."""

    retryable = True


class ChainUnreachableError(NodeError):
    """The chain that the coordinator's word is checked against does not answer."""

    retryable = True


class NotRunningError(NodeError):
    """No node runs where one was asked for."""

    retryable = True


class ClaimError(NodeError):
    """There is nothing to claim, or the coordinator's proof is not what the chain holds."""


class OmissionError(NodeError):
    """Whether something was left out cannot be told, or not be proven."""

    is_usage = True


class OriginError(NodeError):
    """The origin, or whoever stands for it, did not give what the signed playlist promises."""

    retryable = True


class TooLargeError(OriginError):
    """More bytes came than the origin signed for, or than any answer of that kind may have."""


class Reason(StrEnum):
    """Why a request is refused; the last part of the problem's `type`."""

    BAD_REQUEST = "bad-request"
    BAD_QUERY = "bad-query"
    BODY_TOO_LARGE = "body-too-large"
    HEADERS_TOO_LARGE = "headers-too-large"
    REQUEST_TOO_SLOW = "request-too-slow"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    TICKET_INVALID = "ticket-invalid"
    TICKET_EXPIRED = "ticket-expired"
    TICKET_FOR_OTHER_NODE = "ticket-for-other-node"
    TICKET_EXHAUSTED = "ticket-exhausted"
    POOL_UNKNOWN = "pool-unknown"
    DRAINING = "draining"
    OVER_DATA_CAP = "over-data-cap"
    OFF_SCHEDULE = "off-schedule"
    NODE_FULL = "node-full"
    NOT_READY = "not-ready"
    SESSION_MISSING = "session-missing"
    SESSION_UNKNOWN = "session-unknown"
    SESSION_FOR_OTHER_POOL = "session-for-other-pool"
    SESSION_STOPPED = "session-stopped"
    PAYMENT_REQUIRED = "payment-required"
    RECEIPT_INVALID = "receipt-invalid"
    RECEIPT_NOT_NEWER = "receipt-not-newer"
    INTAKE_CLOSED = "intake-closed"
    RENDITION_UNKNOWN = "rendition-unknown"
    SEGMENT_UNKNOWN = "segment-unknown"
    RANGE_UNSATISFIABLE = "range-unsatisfiable"
    TOO_MANY_WAITING = "too-many-waiting"
    ORIGIN_FAILED = "origin-failed"
    STORAGE_FULL = "storage-full"


class RefusedError(NodeError):
    """A request that is refused for `reason`; the message says what the asker can do."""

    def __init__(
        self, reason: Reason, detail: str, retry_after_seconds: int = RETRY_SECONDS
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
