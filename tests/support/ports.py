"""Free ports of the loopback interface."""

from streamrp2p_demo.ports import free_ports

_given: set[int] = set()


def find_free_port() -> int:
    """Return a port that nothing listens on now and that no outgoing connection takes; each comes once in a process.

    Prefer port 0 where a server can tell what it got.
    """
    port = next(port for port in iter(lambda: free_ports(1)[0], None) if port not in _given)
    _given.add(port)
    return port
