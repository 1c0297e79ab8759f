"""Why a relay that feeds a stream is left, or not asked this time."""

from streamrp2p.http_api import ApiError
from streamrp2p.viewer.report import Reason
from streamrp2p_node.errors import NodeError

_SESSION_OVER = ("ticket-expired", "ticket-exhausted", "session-unknown", "session-missing")
"""Slugs of a node's refusals."""


class FaultError(NodeError):
    """The relay must be left, for a reason that a viewer would leave it for."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class SessionOverError(NodeError):
    """The relay serves this session no more, but would serve the next: a new ticket is due."""


class NotNowError(NodeError):
    """This object cannot be had under this session now, which is nobody's fault: take it from elsewhere."""


def meaning(error: ApiError) -> NodeError:
    """Return what a refusal means to the one who watches."""
    if error.slug in _SESSION_OVER:
        return SessionOverError(str(error))
    if error.slug == "origin-failed":
        return FaultError(Reason.ORIGIN_FAILED, str(error))
    if error.slug == "bad-query":
        return FaultError(Reason.STALE_PLAYLIST, f"it is far behind: {error}")
    return FaultError(Reason.REFUSED, str(error))
