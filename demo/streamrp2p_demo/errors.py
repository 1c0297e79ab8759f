"""What can stop the demo before it has anything to judge."""

from streamrp2p.errors import StreamrP2PError


class DemoError(StreamrP2PError):
    """Root of the demo's own failures."""


class MissingToolError(DemoError):
    """A program that the demo needs is not installed; the message says how to get it."""

    is_usage = True


class ProcessDiedError(DemoError):
    """A process ended that should be running; `tail` holds the end of its log."""

    def __init__(self, name: str, exit_code: int, tail: str) -> None:
        super().__init__(f"{name} ended with exit code {exit_code}; its log ends:\n{tail}")
        self.name = name
        self.exit_code = exit_code
        self.tail = tail


class NotReadyError(DemoError):
    """Something that the demo waited for did not happen in time."""


class StoppedError(DemoError):
    """A person or the system asked the demo to stop."""
