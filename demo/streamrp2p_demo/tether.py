"""Become a command that ends when its parent does: `python -I -S tether.py PARENT_PID COMMAND...`.

A parent that is killed with SIGKILL cannot stop its children, so the kernel is asked to. A launcher
does it, and not a `preexec_fn`, because that is unsafe in a process with threads. It imports next to
nothing: it is paid for once for each process of the demo.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h. The setting survives `exec`."""


def main() -> None:
    """Tie this process to its parent, then become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        # SIGTERM lets the command stop what it started itself.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - a list, with no shell


if __name__ == "__main__":
    main()
