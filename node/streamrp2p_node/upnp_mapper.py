"""Keeping a port mapped by UPnP: with a lease that is renewed, and found again after the router restarts."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from ipaddress import ip_address

import structlog

from streamrp2p.foreign_text import printable
from streamrp2p.public_address import why_not_public
from streamrp2p_node.place import Place, lan_address, place_of
from streamrp2p_node.port_mapping import PortMapping, PortMappingError
from streamrp2p_node.settings import Settings
from streamrp2p_node.upnp_gateway import Gateway, RouterRefusedError, find_gateway

LEASE_SECONDS = 3600
"""`presence.RECHECK_SECONDS` renews it many times before it ends."""
ENSURE_SECONDS = 40.0
REMOVE_SECONDS = 3.0
NAME = "StreamrP2P node"
OTHER_PORTS = 6
"""How many other external ports are tried where the wished one is taken."""
FIRST_OTHER_PORT, LAST_OTHER_PORT = 20_000, 60_000

_INVALID_ARGUMENTS, _ACTION_FAILED = 402, 501
_CONFLICT, _SAME_PORTS, _NO_LEASE, _OTHER_CONFLICT = 718, 724, 725, 729
"""Error codes of WANIPConnection:2, section 2.5."""

_log = structlog.get_logger("upnp")


class UpnpPortMapper:
    """Maps an external TCP port, the wished one if it is free, to a node's own. One call at a time."""

    def __init__(
        self,
        place: Place,
        find: Callable[[], Awaitable[Gateway]] = find_gateway,
    ) -> None:
        self._place = place
        self._find = find
        self._gateway: Gateway | None = None
        self._external_port: int | None = None
        self._lease_seconds = LEASE_SECONDS

    async def ensure(self) -> PortMapping:
        """Map the port, or renew its mapping; raises PortMappingError. Called again and again, also after a failure."""
        try:
            async with asyncio.timeout(ENSURE_SECONDS):
                return await self._ensure()
        except TimeoutError:
            self._gateway = None
            raise PortMappingError(
                "upnp-silent",
                f"the router did not answer within {ENSURE_SECONDS:.0f} s",
                "restart the router; if it stays so, forward the port by hand",
            ) from None

    async def remove(self) -> None:
        """Take the mapping back, if there is one. Never raises."""
        gateway, port = self._gateway, self._external_port
        self._external_port = None
        if gateway is None or port is None:
            return
        with suppress(TimeoutError, RouterRefusedError, PortMappingError):
            async with asyncio.timeout(REMOVE_SECONDS):
                await gateway.delete(port)
                _log.info("port_unmapped", external_port=port)

    async def _ensure(self) -> PortMapping:
        if self._gateway is not None:
            try:
                return await self._map(self._gateway)
            except PortMappingError as error:
                # A router that was restarted may answer elsewhere.
                _log.info("router_lost", reason=error.detail)
                self._gateway = None
        gateway = await self._find()
        mapping = await self._map(gateway)
        self._gateway = gateway
        return mapping

    async def _map(self, gateway: Gateway) -> PortMapping:
        external = await self._external_address(gateway)
        address = self._own_address(gateway)
        refused = "each port that was tried is taken"
        for port in self._ports():
            owner = await gateway.mapped_to(port)
            if owner not in (None, (address, self._place.port)):
                continue
            try:
                await self._add(gateway, port, address)
            except RouterRefusedError as error:
                refused = printable(error, 120)
                if error.code in (_CONFLICT, _OTHER_CONFLICT, _SAME_PORTS):
                    continue
                raise _refused(refused) from error
            if port != self._external_port:
                _log.info(
                    "port_mapped",
                    router=gateway.host,
                    external=f"{external}:{port}",
                    to=f"{address}:{self._place.port}",
                    lease_seconds=self._lease_seconds,
                )
            self._external_port = port
            return PortMapping(external, port, address, why_not_public(external))
        raise _refused(refused)

    async def _add(self, gateway: Gateway, port: int, address: str) -> None:
        own = self._place.port
        try:
            await gateway.add(port, address, own, name=NAME, lease_seconds=self._lease_seconds)
        except RouterRefusedError as error:
            is_of_the_lease = error.code in (_NO_LEASE, _INVALID_ARGUMENTS, _ACTION_FAILED)
            if not self._lease_seconds or not is_of_the_lease:
                raise
            # Some routers map without an end alone, and not all of them say it by the right code.
            await gateway.add(port, address, own, name=NAME, lease_seconds=0)
            self._lease_seconds = 0

    async def _external_address(self, gateway: Gateway) -> str:
        try:
            found = await gateway.external_address()
        except RouterRefusedError as error:
            raise _refused(printable(error, 120)) from error
        try:
            address = ip_address(found)
        except ValueError:
            address = None
        if address is None or address.is_unspecified:
            raise PortMappingError(
                "router-offline",
                "the router says that it has no address outside",
                "look whether the router is connected to the internet",
            )
        return str(address)

    def _own_address(self, gateway: Gateway) -> str:
        """Return the address to map to; raises PortMappingError for a node that listens elsewhere."""
        address = lan_address(gateway.host)
        if address is None:
            raise PortMappingError(
                "no-network",
                "this machine has no address in the router's network",
                "connect it to the router",
            )
        if not _listens_at(self._place.host, address):
            raise PortMappingError(
                "listens-elsewhere",
                f"the node listens on {self._place.host}, where the router cannot reach it",
                f"give it --host 0.0.0.0 (or --host {address})",
            )
        return address

    def _ports(self) -> Iterator[int]:
        """Yield the external ports to try: the one that is mapped, the wished one, the node's own, some others."""
        wished = [self._external_port, self._place.public_port, self._place.port]
        yield from dict.fromkeys(port for port in wished if port)
        for _ in range(OTHER_PORTS):
            yield FIRST_OTHER_PORT + secrets.randbelow(LAST_OTHER_PORT - FIRST_OTHER_PORT)


def mapper_for(settings: Settings) -> UpnpPortMapper:
    """Return the mapper of a node with these settings."""
    place = place_of(settings.host, settings.port, settings.endpoint)
    return UpnpPortMapper(place, partial(find_gateway, settings.upnp_target))


def _listens_at(host: str, address: str) -> bool:
    try:
        listening = ip_address(host)
    except ValueError:
        return host == address or (host == "localhost" and address == "127.0.0.1")
    return listening.is_unspecified or str(listening) == address


def _refused(reason: str) -> PortMappingError:
    return PortMappingError(
        "upnp-refused",
        f"the router maps no port: {reason}",
        "allow UPnP port mapping for this machine in the router's settings, or forward the port by hand",
    )
