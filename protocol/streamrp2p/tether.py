"""Become a command that ends when its parent does: `python -I -S tether.py PARENT_PID SIGNAL COMMAND...`.

A parent that is killed with SIGKILL cannot stop its children, so the kernel is asked to. A launcher does
it, and not a `preexec_fn`, because that is unsafe in a process with threads. It imports next to nothing: it is
paid for once for each process.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h. The setting survives `exec`, and is one to the thread that starts the process."""


def tethered(command: Sequence[str], number: signal.Signals = signal.SIGKILL) -> list[str]:
    """Return the command that runs `command` and gets the signal `number` when this process is gone."""
    launcher = [sys.executable, "-I", "-S", __file__]
    return [*launcher, str(os.getpid()), str(int(number)), *command]


def main() -> None:
    """Tie this process to its parent, then become the command."""
    parent, number, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
        # The parent may have died before the kernel was asked.
        if os.getppid() != parent:
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - a list, with no shell


if __name__ == "__main__":
    main()
