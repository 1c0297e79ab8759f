"""Child processes, each in a process group of its own, none of which outlives the demo."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from streamrp2p.tether import tethered
from streamrp2p_demo.child import Child
from streamrp2p_demo.errors import ProcessDiedError

STOP_SECONDS = 8.0
"""How long a process may take to end after SIGTERM; then its whole group gets SIGKILL."""
COMMAND_SECONDS = 60.0
"""How long a command of the run may take, such as a claim."""
POLL_SECONDS = 0.05
_REAP_SECONDS = 1.0
_PR_SET_CHILD_SUBREAPER = 36
"""From linux/prctl.h."""


@dataclass(slots=True)
class Supervisor:
    """Starts processes, notices those that die, and stops all of them on leaving its context."""

    folder: Path
    """Where the logs go, one for each name."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    children: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        _adopt_orphans()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop_all()

    def start(self, name: str, command: Sequence[str], *, may_end: bool = False) -> Child:
        """Start `command` with its output appended to `<name>.log`.

        Must be called from the main thread: the tether to the parent is one to the thread that starts.
        """
        log = self._log(name)
        with log.open("ab") as output:
            return self._spawn(name, command, output, output, may_end=may_end)

    def start_command(self, name: str, command: Sequence[str]) -> Child:
        """Start a command that answers on standard output, for `finish`; standard error goes to `<name>.log`."""
        with self._output(name).open("wb") as output, self._log(name).open("ab") as errors:
            return self._spawn(name, command, output, errors, may_end=True)

    def finish(self, child: Child, timeout_seconds: float = COMMAND_SECONDS) -> tuple[int, str]:
        """Wait for a started command; return its exit code and standard output. Too slow a one is stopped."""
        try:
            child.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.stop([child])
        output = self._output(child.name).read_text(errors="replace")
        return child.process.returncode, output

    def run_all(
        self, commands: Mapping[str, Sequence[str]], timeout_seconds: float = COMMAND_SECONDS
    ) -> dict[str, str]:
        """Run commands at the same time and return each one's standard output by its name.

        Raises ProcessDiedError when one fails or takes longer.
        """
        started = [self.start_command(name, command) for name, command in commands.items()]
        outputs: dict[str, str] = {}
        for child in started:
            code, outputs[child.name] = self.finish(child, timeout_seconds)
            if code != 0:
                raise ProcessDiedError(child.name, code, child.tail())
        return outputs

    def check(self) -> None:
        """Raise ProcessDiedError when a process that must run has ended."""
        for child in self.children:
            code = child.exit_code
            if code is not None and not child.may_end:
                raise ProcessDiedError(child.name, code, child.tail())
            # Noticing early that a group is gone keeps its number from being signalled later.
            child.is_left()

    def kill(self, child: Child) -> None:
        """Kill a child's whole group with SIGKILL and reap it: it gets no chance to write anything."""
        child.may_end = True
        child.signal(signal.SIGKILL)
        child.process.wait()

    def stop(self, children: Sequence[Child]) -> None:
        """Ask processes to end, kill the groups of those that do not, and reap all."""
        for child in children:
            child.may_end = True
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and any(child.is_left() for child in children):
            time.sleep(POLL_SECONDS)
        for child in children:
            child.signal(signal.SIGKILL)
            child.process.wait()

    def stop_all(self) -> None:
        """Stop every process, the one that was started last first."""
        self.stop(list(reversed(self.children)))

    def left_behind(self) -> list[str]:
        """Return the processes of which anything is left, as `name (pid)`: their own children count."""
        deadline = time.monotonic() + _REAP_SECONDS
        while time.monotonic() < deadline and any(child.is_left() for child in self.children):
            time.sleep(POLL_SECONDS)
        return [f"{child.name} ({child.pid})" for child in self.children if child.is_left()]

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _output(self, name: str) -> Path:
        return self.folder / f"{name}.out"

    def _spawn(
        self,
        name: str,
        command: Sequence[str],
        output: BinaryIO,
        errors: BinaryIO,
        *,
        may_end: bool,
    ) -> Child:
        process = subprocess.Popen(
            # SIGTERM lets the command stop what it started itself.
            tethered(command, signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=dict(self.environment),
            start_new_session=True,
        )
        child = Child(name, process, self._log(name), may_end)
        self.children.append(child)
        return child


def _adopt_orphans() -> None:
    """Become the parent of the orphans among our descendants, so that no other must reap them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
