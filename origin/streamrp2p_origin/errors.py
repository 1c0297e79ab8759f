"""What can go wrong at an origin, each with what to do about it."""

from streamrp2p.errors import StreamrP2PError


class OriginError(StreamrP2PError):
    """Root of the origin's own failures."""


class OriginSetupError(OriginError):
    """The folder, the keys, the ports or the machine are not fit to run; final until someone changes them."""

    is_usage = True


class PortTakenError(OriginError):
    """Another program took a port for encoders while none was connected."""

    retryable = True


class StreamKeyRefusedError(OriginError):
    """An encoder that did not show the stream key. `length` of what it showed is all that is told of it."""

    def __init__(self, length: int) -> None:
        shown = (
            f"a stream key of {length} characters that is not this origin's"
            if length
            else "no stream key"
        )
        super().__init__(
            f"the encoder showed {shown}: set its stream key, streamrp2p origin key show"
        )


class MalformedCallbackError(OriginError):
    """A request on the callback port that is none of the known ingest servers'."""


class CallbackRefusedError(OriginError):
    """Something that an ingest server asked for and that is not permitted."""


class PullError(OriginError):
    """The ingest server does not give out the stream that it asked permission for."""

    retryable = True


class ServerRefusedError(OriginError):
    """A server that did not take the test picture: none listens there, it has another encoder, the key is wrong."""

    retryable = True


class UnusableInputError(OriginError):
    """An encoder's stream that cannot be packaged; `str` says which encoder setting to change."""


class PackagingError(OriginError):
    """ffmpeg ended with an error; the encoder may connect again."""

    retryable = True


class MalformedMediaError(PackagingError):
    """What should be media is not: boxes that are cut off, contradict each other or are too large."""
