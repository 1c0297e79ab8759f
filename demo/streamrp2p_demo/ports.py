"""Free loopback ports."""

import secrets
import socket
from contextlib import ExitStack

from streamrp2p_demo.errors import DemoError

LOOPBACK = "127.0.0.1"
PORTS = range(10_000, 32_000)
"""Below those that systems give to outgoing connections: one could take a killed relay's port."""
ATTEMPTS_PER_PORT = 200


def free_ports(count: int) -> list[int]:
    """Return `count` different ports that could be bound just now; raises DemoError when there are too few.

    All are bound before the first is let go, so none comes twice.
    """
    chosen: list[int] = []
    with ExitStack() as stack:
        for _ in range(count * ATTEMPTS_PER_PORT):
            if len(chosen) == count:
                break
            port = secrets.choice(PORTS)
            probe = stack.enter_context(socket.socket())
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            chosen.append(port)
    if len(chosen) < count:
        raise DemoError(f"there are no {count} free ports on {LOOPBACK}; stop what uses them")
    return chosen
