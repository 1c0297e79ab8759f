"""The network that an address is in: what viewers and nodes are told apart by. Pure."""

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

IPV4_PREFIX, IPV6_PREFIX = 24, 48


def network_of(address: str | None) -> str | None:
    """Return an address's IPv4 /24 or IPv6 /48; None for this machine, where a proxy may be, and for no address."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if found.is_loopback:
        return None
    prefix = IPV6_PREFIX if isinstance(found, IPv6Address) else IPV4_PREFIX
    return str(ip_network((found, prefix), strict=False))


def port_of_endpoint(endpoint: str) -> int:
    """Return the port of a valid endpoint."""
    parts = urlsplit(endpoint)
    return parts.port or (443 if parts.scheme == "https" else 80)
