"""Become a command that the kernel kills when its parent dies: `python -I -S tether.py PARENT_PID COMMAND...`.

An origin that is killed with SIGKILL cannot stop its ffmpeg. A launcher asks the kernel to, and not a
`preexec_fn`, because that is unsafe in a process with threads. It imports next to nothing, so it starts at once.
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
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have died before the kernel was asked.
        if os.getppid() != parent:
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - a list, with no shell


if __name__ == "__main__":
    main()
