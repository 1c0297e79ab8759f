"""Processor time of processes, as the kernel counts it."""

import os
from pathlib import Path

from tests.support.origin import descendants

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_FIELDS = slice(11, 15)
"""utime, stime, and those of children that ended, of /proc/PID/stat after the name (man 5 proc)."""


def cpu_seconds(pid: int) -> float:
    """Return the seconds, user and system, that a process and all below it have used, those that ended included."""
    return sum(_ticks(each) for each in (pid, *descendants(pid))) / _TICKS_PER_SECOND


def first_named(name: str) -> int:
    """Return the process below this one that has a name and was started first; raises StopIteration without one."""
    return next(each for each in sorted(descendants(os.getpid())) if _name(each) == name)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        # It ended meanwhile: now its parent has its time.
        return 0
    return sum(map(int, fields[_FIELDS]))
