"""Does something listen on a port? Asked of the system, not by connecting: ffmpeg would take that for its encoder."""

import asyncio
import socket
from pathlib import Path
from typing import Literal

from streamrp2p_origin.errors import OriginSetupError

Transport = Literal["tcp", "udp"]

_TABLES = Path("/proc/net")
_LISTENING = {"tcp": "0A", "udp": "07"}
"""The states, from the kernel's include/net/tcp_states.h: TCP_LISTEN, and TCP_CLOSE for a UDP socket without a peer."""
_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_POLL_SECONDS = 0.05
_BLIND_SECONDS = 1.0
"""What a start takes at most, where the system cannot be asked."""


async def until_listening(port: int, transport: Transport = "tcp") -> None:
    """Return once something listens on the port; cancel it to give up."""
    if not (_TABLES / transport).exists():
        await asyncio.sleep(_BLIND_SECONDS)
        return
    while not is_listening(port, transport):  # noqa: ASYNC110 - the kernel wakes nobody
        await asyncio.sleep(_POLL_SECONDS)


def is_listening(port: int, transport: Transport = "tcp") -> bool:
    """Tell from the kernel's tables (proc(5)) whether something listens on the port."""
    return any(
        row[3] == _LISTENING[transport] and int(row[1].rpartition(":")[2], 16) == port
        for table in (_TABLES / transport, _TABLES / f"{transport}6")
        if table.exists()
        for row in map(str.split, table.read_text().splitlines()[1:])
    )


def require_free(host: str, port: int, transport: Transport, option: str) -> None:
    """Raise OriginSetupError, which names the option that changes it, when the port cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, _KINDS[transport]) as probe:
        if transport == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OriginSetupError(
                f"the {option.removeprefix('--').split('-')[0].upper()} port {port} on {host} cannot be used "
                f"({error.strerror or error}): stop what listens there, or choose another with {option}"
            ) from error
