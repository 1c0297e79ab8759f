"""Does something listen on a port? Asked of the system, not by connecting: ffmpeg would take that for its encoder."""

import asyncio
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTEN = "0A"
_POLL_SECONDS = 0.05
_BLIND_SECONDS = 1.0
"""What a start takes at most, where the system cannot be asked."""


async def until_listening(port: int) -> None:
    """Return once something listens on the TCP port; cancel it to give up."""
    if not _TABLES[0].exists():
        await asyncio.sleep(_BLIND_SECONDS)
        return
    while not is_listening(port):  # noqa: ASYNC110 - the kernel wakes nobody
        await asyncio.sleep(_POLL_SECONDS)


def is_listening(port: int) -> bool:
    """Tell from the kernel's tables (proc(5)) whether something listens on the port."""
    return any(
        row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port
        for table in _TABLES
        if table.exists()
        for row in map(str.split, table.read_text().splitlines()[1:])
    )
