"""Where a node's endpoint leads: resolved once, judged, and then connected to as it was judged.

An endpoint is a stranger's word. Its name must lead the coordinator neither into its own network nor, on a second
look-up, elsewhere than on the first (DNS rebinding): whoever connects takes the addresses that were judged.
"""

import socket
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import httpcore

from streamrp2p.deadline import addresses_of
from streamrp2p.public_address import why_not_public
from streamrp2p_coordinator.outside.steps import StepFailedError

WELL_KNOWN_PORTS = 1024
WEB_PORTS = (80, 443)
MAX_ADDRESSES = 4
"""How many addresses of one name are looked at."""


def host_and_port(endpoint: str) -> tuple[str, int]:
    """Return where a valid base URL leads; raises StepFailedError for the port of another service than a node."""
    parts = urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if port < WELL_KNOWN_PORTS and port not in WEB_PORTS:
        raise StepFailedError(
            "port-not-allowed",
            f"port {port} belongs to another kind of service",
            "use port 443, 80 or one from 1024 up in --endpoint",
        )
    return parts.hostname or "", port


def judged_addresses(host: str, port: int, *, allow_local_networks: bool) -> list[str]:
    """Return a host's addresses; raises StepFailedError if it has none, or one that is not public."""
    try:
        found = list(dict.fromkeys(addresses_of(host, port)))[:MAX_ADDRESSES]
    except (httpcore.ConnectError, UnicodeError) as error:
        raise _unresolved(host, error) from error
    for address in found:
        reason = None if allow_local_networks else why_not_public(address)
        if reason is not None:
            raise StepFailedError(
                "address-not-public",
                f"{host} is {address}, which {reason}",
                "use a name or address in --endpoint that the internet can reach: your router's external address, "
                "or that of a machine that passes requests on to this one",
            )
    return found


def guarded_resolver(*, allow_local_networks: bool) -> Callable[[str, int], Sequence[str]]:
    """Return a resolver for streamrp2p.deadline.DeadlineTransport that gives public addresses alone."""

    def resolve(host: str, port: int) -> Sequence[str]:
        try:
            return judged_addresses(host, port, allow_local_networks=allow_local_networks)
        except StepFailedError as error:
            raise httpcore.ConnectError(error.detail) from error

    return resolve


def pinned_resolver(addresses: Sequence[str]) -> Callable[[str, int], Sequence[str]]:
    """Return a resolver that gives these addresses, whatever the name leads to by now."""
    return lambda _host, _port: addresses


def _unresolved(host: str, error: Exception) -> StepFailedError:
    cause = error.__cause__
    if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN:
        return StepFailedError(
            "dns-failed",
            f"the name servers of {host} do not answer",
            "try again in a minute; if it stays so, look at the domain's name servers",
        )
    return StepFailedError(
        "dns-unknown",
        f"{host} has no address",
        "make an A record (IPv4) or AAAA record (IPv6) for it that holds this node's public address, "
        "or correct the name in --endpoint",
    )
