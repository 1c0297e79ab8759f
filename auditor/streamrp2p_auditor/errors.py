"""What keeps an auditor from its work. None of these says that an epoch is wrong."""

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
