"""Where the node stands in its network: what its operator must know to open the way to it."""

import socket
from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

PUBLIC_IPV4 = "192.0.2.1"
"""Of documentation: nothing is ever sent to it."""


@dataclass(frozen=True, slots=True)
class Place:
    """The address and port that the node listens on, and the port that viewers use."""

    host: str
    port: int
    public_port: int
    lan_address: str | None = None
    """This machine's address in its own network; None when it cannot be told."""
    seen_from: str | None = None
    """The address that the coordinator sees it at."""

    @property
    def is_local_alone(self) -> bool:
        """Tell whether this machine alone can connect."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def seen(self, address: str | None) -> "Place":
        """Return the place with the address that the coordinator sees."""
        return replace(self, seen_from=address)


def place_of(host: str, port: int, endpoint: str | None) -> Place:
    """Return where a node is that listens there and is reached at `endpoint`."""
    return Place(host, port, port_of(endpoint) if endpoint else port, lan_address())


def port_of(endpoint: str) -> int:
    """Return the TCP port of a URL."""
    parts = urlsplit(endpoint)
    return parts.port or (443 if parts.scheme == "https" else 80)


def lan_address(towards: str = PUBLIC_IPV4) -> str | None:
    """Return the IPv4 address that this machine would send from. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((towards, 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])
