"""Why an epoch cannot be judged. None of these says that the epoch is wrong."""

from streamrp2p.errors import StreamrP2PError


class AuditError(StreamrP2PError):
    """Root of what keeps the auditor from a verdict."""


class ParentUnusableError(AuditError):
    """The parent's bundle does not fit the parent's header, so nothing can be built on it."""

    def __init__(self, epoch: int, reason: str) -> None:
        super().__init__(
            f"epoch {epoch}, the parent, is itself wrong ({reason}); audit epoch {epoch} first"
        )
        self.epoch = epoch
