"""Which IP addresses the whole internet can reach: the rule for endpoints, of both versions of IP."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

SHARED = ip_network("100.64.0.0/10")
"""RFC 6598: between a provider's routers, for customers who share one public address."""
_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = tuple(
    IPv6Network(network)
    for network in (
        "::/96",  # RFC 4291: IPv4-compatible, and the loopback address
        "64:ff9b:1::/48",  # RFC 8215: local translation
        "2001::/32",  # RFC 4380: Teredo, which leads to an IPv4 address
        "2001:db8::/32",  # RFC 3849: documentation
        "3fff::/20",  # RFC 9637: documentation
        "5f00::/16",  # RFC 9602: segment routing
        "fec0::/10",  # RFC 3879: site-local
    )
)


def why_not_public(text: str) -> str | None:
    """Return why nobody outside reaches an address, in words such as `is private`; None for a public one.

    An IPv4 address inside an IPv6 one (mapped, 6to4, NAT64) is judged itself. Raises ValueError for no IP address.
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None:
            reason = why_not_public(str(inner))
            return reason and f"{reason} (it holds {inner})"
    return _reason(address)


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _reason(address: IPv4Address | IPv6Address) -> str | None:  # noqa: PLR0911 - one reason a line
    if address.is_loopback:
        return "is this machine's own (loopback)"
    if address.is_unspecified:
        return "is no address of a machine"
    if address.is_link_local:
        return "is link-local"
    if address.is_multicast:
        return "is multicast"
    if isinstance(address, IPv4Address) and address in SHARED:
        return "is shared by a provider's customers (carrier-grade NAT, 100.64.0.0/10)"
    if isinstance(address, IPv6Address) and any(address in network for network in _NOT_PUBLIC):
        return "is reserved"
    if address.is_private:
        return "is private"
    return None if address.is_global and not address.is_reserved else "is reserved"
