"""One tree of expected failures. Each error carries data and says what to do; anything else is a bug and crashes."""

from collections.abc import Sequence


class StreamrP2PError(Exception):
    """Root of every expected failure.

    `retryable` tells whether the same call may succeed later; `is_usage` whether arguments, files or this
    machine are wrong.
    """

    retryable = False
    is_usage = False


class MalformedError(StreamrP2PError):
    """Bytes or fields that break the encoding of docs/protocol.md."""

    is_usage = True


class SignatureError(StreamrP2PError):
    """A signature that is malformed, malleable or not by the expected key."""


class HighSError(SignatureError):
    """A signature with `s > n/2`; its signer must produce the low form."""


class AnswerError(StreamrP2PError):
    """The coordinator's answer to a batch is not what its poster must sign; nothing in it is believed."""


class PathError(StreamrP2PError):
    """A relay's path from the origin behind which another relay must not stand: take another upstream."""


class TreeError(StreamrP2PError):
    """Leaves or a proof that cannot belong to a tree of docs/protocol.md section 6."""


class SettlementError(StreamrP2PError):
    """Inputs that the settlement rule cannot accept."""


class TooManyPoolsError(SettlementError):
    """An account would earn from more pools than a claim can hold: intake must refuse such records."""


class BeforeGenesisError(StreamrP2PError, ValueError):
    """A time before the first epoch."""

    retryable = True


class BundleError(MalformedError):
    """A bundle that is not valid by docs/protocol.md section 9; `field` names the first wrong part."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(
            f"bundle is not valid at {field}: {reason}; fetch it again from another mirror"
        )
        self.field = field
        self.reason = reason


class BundleUnavailableError(StreamrP2PError):
    """No source gave the bundle. `attempts` says of each why not; retryable when one may have it later."""

    def __init__(self, data_hash: bytes, attempts: Sequence[str], *, retryable: bool) -> None:
        tried = "; ".join(attempts) or "no coordinator, mirror or file was named"
        super().__init__(
            f"bundle 0x{data_hash.hex()} is available nowhere ({tried}); name another --mirror or a --bundle "
            "file. If nobody has it, it can be demanded on chain: audit prove N --demand, or audit watch --challenge"
        )
        self.data_hash = data_hash
        self.attempts = tuple(attempts)
        self.retryable = retryable


class EvidenceError(StreamrP2PError):
    """A node's batches and answers that are malformed, or not acknowledged by the header's poster."""


class OtherPosterError(EvidenceError):
    """An acknowledgement that another key signed than the header's poster: a former poster's, or a forged one."""

    def __init__(self, file: str, signer: bytes, poster: bytes) -> None:
        super().__init__(
            f"{file} is signed by 0x{signer.hex()}, not by 0x{poster.hex()}, who posted the header: "
            "it binds another poster"
        )
        self.signer = signer
