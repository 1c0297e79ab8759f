"""One child process with its group and its log."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

TAIL_LINES = 25
_TAIL_BYTES = 16_384
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(slots=True)
class Child:
    """One started process. Its pid names its process group too."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    may_end: bool
    """Whether ending by itself is normal, as it is for a viewer but not for a server."""
    is_gone: bool = False
    """Whether the whole group was seen to be gone: from then on its number may be another's."""

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while it runs; a signal's number is negative."""
        return self.process.poll()

    def is_left(self) -> bool:
        """Tell whether any process of the group is left, the child's own children included."""
        if self.exit_code is None:
            return True
        if not self.is_gone:
            _reap_group(self.pid)
            try:
                os.killpg(self.pid, 0)
            except ProcessLookupError:
                self.is_gone = True
        return not self.is_gone

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, if there is still one."""
        if self.is_gone:
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def tail(self) -> str:
        """Return the last lines of the log."""
        return tail(self.log)


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log of any size, without colours; a missing one reads as empty."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return "\n".join(_COLOURS.sub("", text).splitlines()[-lines:])


def _reap_group(group: int) -> None:
    try:
        while os.waitpid(-group, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return
