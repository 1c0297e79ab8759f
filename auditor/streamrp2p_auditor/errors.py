"""Why an epoch cannot be judged. None of these says that the epoch is wrong."""

from collections.abc import Sequence

from streamrp2p.errors import StreamrP2PError


class AuditError(StreamrP2PError):
    """Root of what keeps the auditor from a verdict."""


class EpochNotCommittedError(AuditError):
    """No header was committed for the epoch yet."""

    retryable = True

    def __init__(self, epoch: int, next_epoch: int) -> None:
        super().__init__(
            f"epoch {epoch} has no header on chain yet, the next to be committed is {next_epoch}; "
            "wait for its poster, or name an earlier epoch"
        )
        self.epoch = epoch
        self.next_epoch = next_epoch


class EpochVoidedError(AuditError):
    """The epoch's header was voided or vetoed, and no other stands."""

    def __init__(self, epoch: int, header_hashes: Sequence[bytes]) -> None:
        hashes = ", ".join("0x" + header_hash.hex() for header_hash in header_hashes)
        super().__init__(
            f"epoch {epoch} was committed as {hashes} and voided, so there is nothing to judge; "
            "wait until its poster commits again"
        )
        self.epoch = epoch


class HeaderMissingError(AuditError):
    """The chain keeps a header's digest, but the RPC does not show the header itself."""

    def __init__(self, epoch: int) -> None:
        super().__init__(
            f"the RPC does not show the event of epoch {epoch}'s header; name an RPC that serves logs from "
            "the deployment's block on, and check `block` in the deployment file"
        )
        self.epoch = epoch


class ChainMovedError(AuditError):
    """Header and parent do not belong together: one of them was voided while they were read."""

    retryable = True

    def __init__(self, epoch: int) -> None:
        super().__init__(
            f"the chain changed while epoch {epoch} and its parent were read; try again"
        )
        self.epoch = epoch


class BundleUnavailableError(AuditError):
    """No source gave the bundle. `attempts` says of each why not; retryable when one may have it later."""

    def __init__(self, data_hash: bytes, attempts: Sequence[str], *, retryable: bool) -> None:
        tried = "; ".join(attempts) or "no coordinator, mirror or file was named"
        super().__init__(
            f"bundle 0x{data_hash.hex()} is available nowhere ({tried}); name another --mirror or a --bundle "
            "file. If nobody has it before the challenge window ends, ask the guardian to veto"
        )
        self.data_hash = data_hash
        self.attempts = tuple(attempts)
        self.retryable = retryable


class ParentUnusableError(AuditError):
    """The parent's bundle does not fit the parent's header, so nothing can be built on it."""

    def __init__(self, epoch: int, reason: str) -> None:
        super().__init__(
            f"epoch {epoch}, the parent, is itself wrong ({reason}); audit epoch {epoch} first"
        )
        self.epoch = epoch


class EvidenceError(AuditError):
    """A node's batches and answers that are malformed, or not acknowledged by the header's poster."""
