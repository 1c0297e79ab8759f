"""What can go wrong at an origin, each with what to do about it."""

from streamrp2p.errors import StreamrP2PError


class OriginError(StreamrP2PError):
    """Root of the origin's own failures."""


class OriginSetupError(OriginError):
    """The folder, the keys, the ports or the machine are not fit to run; final until someone changes them."""

    is_usage = True


class PortTakenError(OriginError):
    """Another program took the RTMP port while no encoder was connected."""

    retryable = True


class RtmpServerError(OriginError):
    """A server that did not take the test picture: none listens there, or it has an encoder already."""

    retryable = True


class UnusableInputError(OriginError):
    """An encoder's stream that cannot be packaged; `str` says which encoder setting to change."""


class PackagingError(OriginError):
    """ffmpeg ended with an error; the encoder may connect again."""

    retryable = True
