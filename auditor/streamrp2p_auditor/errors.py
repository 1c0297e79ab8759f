"""What keeps an auditor from its work. None of these says that an epoch is wrong."""

from datetime import UTC, datetime
from pathlib import Path

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


class JudgementCrashedError(AuditError):
    """A bug: the judgement of one epoch ended with a traceback, which is logged. The others are judged."""

    def __init__(self, epoch: int) -> None:
        super().__init__(
            f"the judgement of epoch {epoch} crashed; report the traceback, and judge it with another version"
        )


class StateInUseError(AuditError):
    """Another watchman holds the folder."""

    is_usage = True

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"another watchman runs with {folder}; stop it, or give each its own --state"
        )


class StateOfOtherChainError(AuditError):
    """The folder belongs to a watchman of another chain or deployment."""

    is_usage = True

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is of another chain or deployment; name another --state, or the deployment file it is of"
        )


class CannotProveError(AuditError):
    """The epoch cannot be acted against from here."""

    def __init__(self, epoch: int, reason: str) -> None:
        super().__init__(
            f"nothing can be done against epoch {epoch}: {reason}; while it is pending its guardian can veto it"
        )
        self.epoch = epoch


class FinalEpochError(AuditError):
    """The header is final."""

    def __init__(self, epoch: int) -> None:
        super().__init__(
            f"epoch {epoch} is final and can no longer be voided; no pool pays more than it was funded"
        )
        self.epoch = epoch


class AnswerOwedError(AuditError):
    """Somebody has still time to answer a demand."""

    retryable = True

    def __init__(self, epoch: int, until: int) -> None:
        shown = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        super().__init__(
            f"an answer to a demand on epoch {epoch} is owed up to {shown}; run this again when it came, "
            "or add --expire after that time"
        )
        self.until = until


class NothingExpiredError(AuditError):
    """No demand on the header ran out."""

    def __init__(self, epoch: int) -> None:
        super().__init__(
            f"no demand on epoch {epoch} is open; run this without --expire to make the next step"
        )


class NoCourtError(AuditError):
    """The book names no contracts that may void its headers."""

    is_usage = True

    def __init__(self, epoch_book: bytes) -> None:
        super().__init__(
            f"the EpochBook at 0x{epoch_book.hex()} names no Challenges and DataDemands, so nothing can be proved; "
            "watch without --challenge, and report what is wrong to its guardian"
        )


class WebhookUrlError(AuditError):
    """A webhook's URL that is none. It is not shown: it may hold a secret."""

    is_usage = True

    def __init__(self) -> None:
        super().__init__("a webhook's URL is like https://host/path; only http and https are")


class WebhookError(AuditError):
    """The webhook did not acknowledge an alert; it is kept and sent again."""

    retryable = True

    def __init__(self, shown: str, reason: str) -> None:
        super().__init__(f"the webhook at {shown} did not acknowledge ({reason})")
