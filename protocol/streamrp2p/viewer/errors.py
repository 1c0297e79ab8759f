"""Why a viewer must leave a source, or cannot watch at all."""

from streamrp2p.errors import StreamrP2PError
from streamrp2p.viewer.report import Reason


class SourceError(StreamrP2PError):
    """A relay, or the origin, cannot be used any more; the viewer goes on elsewhere."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class SessionOverError(StreamrP2PError):
    """The relay serves this session no more, but would serve the next: a new ticket is due."""


class RenditionError(StreamrP2PError):
    """The stream does not have the rendition that was asked for."""

    is_usage = True


class NothingPlayedError(StreamrP2PError):
    """Neither relay nor origin gave one segment that the origin vouches for."""

    retryable = True
