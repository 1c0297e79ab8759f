"""Free ports of the loopback interface."""

import socket


def find_free_port() -> int:
    """Return a port that nothing listens on now. Prefer port 0 where a server can tell what it got."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
