"""A home router's UPnP gateway (Internet Gateway Device): found by SSDP, asked by SOAP.

Everything in the local network may answer a search. So a description is fetched only from the address that answered,
nothing is fetched from elsewhere, and all of it is bounded in bytes and seconds.
"""

import asyncio
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import urlsplit

import httpx
from async_upnp_client.client import UpnpRequester, UpnpService
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.const import HttpRequest, HttpResponse
from async_upnp_client.exceptions import (
    UpnpActionError,
    UpnpCommunicationError,
    UpnpConnectionError,
)
from async_upnp_client.search import SsdpSearchListener
from async_upnp_client.utils import CaseInsensitiveDict
from typing_extensions import override

from streamrp2p_node.port_mapping import PortMappingError

DEVICE = "urn:schemas-upnp-org:device:InternetGatewayDevice:"
SERVICES = tuple(
    "urn:schemas-upnp-org:service:" + name
    for name in ("WANIPConnection:2", "WANIPConnection:1", "WANPPPConnection:1")
)
SEARCHES = 2
"""How often each search is sent: a datagram may be lost."""
SEARCH_SECONDS = 3
HTTP_SECONDS = 5.0
MAX_BYTES = 256 * 1024


class RouterRefusedError(Exception):
    """The router answered an action with an error; `code` is UPnP's, 0 when it gave none."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Gateway:
    """The service of a router that maps ports. Every method raises RouterRefusedError or PortMappingError."""

    service: UpnpService
    host: str

    async def external_address(self) -> str:
        """Return the address that the router has outside; empty when it has none."""
        answer = await self._call("GetExternalIPAddress")
        return str(answer.get("NewExternalIPAddress") or "")

    async def mapped_to(self, external_port: int) -> tuple[str, int] | None:
        """Return the address and port that an external port leads to, None when that is free or cannot be told."""
        try:
            answer = await self._call(
                "GetSpecificPortMappingEntry",
                NewRemoteHost="",
                NewExternalPort=external_port,
                NewProtocol="TCP",
            )
        except RouterRefusedError:
            # Most say 714, no such entry, some say anything. Adding the mapping will tell.
            return None
        return str(answer.get("NewInternalClient")), int(answer.get("NewInternalPort") or 0)

    async def add(
        self, external_port: int, address: str, port: int, *, name: str, lease_seconds: int
    ) -> None:
        """Map an external port; a lease of 0 seconds has no end."""
        await self._call(
            "AddPortMapping",
            NewRemoteHost="",
            NewExternalPort=external_port,
            NewProtocol="TCP",
            NewInternalPort=port,
            NewInternalClient=address,
            NewEnabled=True,
            NewPortMappingDescription=name,
            NewLeaseDuration=lease_seconds,
        )

    async def delete(self, external_port: int) -> None:
        """Take a mapping back."""
        await self._call(
            "DeletePortMapping",
            NewRemoteHost="",
            NewExternalPort=external_port,
            NewProtocol="TCP",
        )

    async def _call(self, action: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as the library's own
        if not self.service.has_action(action):
            raise RouterRefusedError(401, f"the router has no {action}")
        try:
            return dict(await self.service.action(action).async_call(**arguments))
        except UpnpActionError as error:
            raise RouterRefusedError(error.error_code or 0, _said(error)) from error
        except Exception as error:
            raise _explained(error) from error


async def find_gateway(target: tuple[str, int] | None = None) -> Gateway:
    """Return the router that answers first and maps ports; raises PortMappingError.

    `target` is the address to search at instead of all the local network.
    """
    answers: asyncio.Queue[tuple[str, str]] = asyncio.Queue(maxsize=64)
    failure: PortMappingError | None = None

    def on_answer(headers: CaseInsensitiveDict) -> None:
        if not answers.full():
            answers.put_nowait((str(headers.get("location")), str(headers.get("_host"))))

    listener = SsdpSearchListener(
        callback=on_answer, target=target, timeout=SEARCH_SECONDS, search_target=DEVICE + "1"
    )
    try:
        await listener.async_start()
    except OSError as error:
        raise _not_found(f"no search can be sent into the local network: {error}") from error
    try:
        for _ in range(SEARCHES):
            for version in ("1", "2"):
                listener.search_target = DEVICE + version
                listener.async_search()
        seen: set[str] = set()
        async with asyncio.timeout(SEARCH_SECONDS + 1):
            while True:
                location, host = await answers.get()
                if location in seen or not _is_of(location, host):
                    continue
                seen.add(location)
                try:
                    return await _describe(location, host)
                except PortMappingError as error:
                    failure = error
    except TimeoutError:
        raise failure or _not_found("no router answered the search") from None
    finally:
        listener.async_stop()


def _is_of(location: str, host: str) -> bool:
    """Tell whether a description lies at the address that told of it, in the local network."""
    try:
        parts = urlsplit(location)
        address = IPv4Address(host)
        return parts.scheme == "http" and parts.hostname == host and address.is_private
    except ValueError:
        return False


async def _describe(location: str, host: str) -> Gateway:
    factory = UpnpFactory(_Requester(host), non_strict=True)
    try:
        device = await factory.async_create_device(location)
        found = {service.service_type: service for service in device.all_services}
    except Exception as error:
        raise _explained(error) from error
    gateways = [Gateway(found[kind], host) for kind in SERVICES if kind in found]
    if not gateways:
        raise PortMappingError(
            "upnp-no-mapping",
            f"the router at {host} speaks UPnP, but maps no ports",
            "switch UPnP port mapping (IGD) on in the router's settings, or forward the port by hand",
        )
    # A router may list a connection that is not in use beside the one that is.
    for gateway in gateways[:-1]:
        try:
            if await gateway.external_address() not in ("", "0.0.0.0"):  # noqa: S104 - compared, not bound
                return gateway
        except (RouterRefusedError, PortMappingError):
            continue
    return gateways[-1]


class _Requester(UpnpRequester):
    """The library's requests to one host alone, bounded."""

    def __init__(self, host: str) -> None:
        self._host = host

    @override
    async def async_http_request(self, http_request: HttpRequest) -> HttpResponse:
        if urlsplit(http_request.url).hostname != self._host:
            raise UpnpCommunicationError(message="the router names an address of another machine")
        body = bytearray()
        try:
            async with (
                asyncio.timeout(HTTP_SECONDS),
                httpx.AsyncClient(trust_env=False, timeout=HTTP_SECONDS) as client,
                client.stream(
                    http_request.method,
                    http_request.url,
                    headers={**http_request.headers, "Accept-Encoding": "identity"},
                    content=http_request.body,
                ) as answer,
            ):
                async for chunk in answer.aiter_raw():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise UpnpCommunicationError(message=f"more than {MAX_BYTES} bytes")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise UpnpConnectionError(message=str(error) or "no answer in time") from error
        return HttpResponse(answer.status_code, answer.headers, body.decode(errors="replace"))


def _said(error: UpnpActionError) -> str:
    return f"error {error.error_code} ({str(error.error_desc)[:80]})"


def _not_found(detail: str) -> PortMappingError:
    return PortMappingError(
        "upnp-not-found",
        detail,
        "switch UPnP on in the router's settings and connect this machine to the router itself (not through a guest "
        "network, a VPN or a container's own network), or forward the port by hand",
    )


def _explained(error: Exception) -> PortMappingError:
    """Return what a router's failure means. What it sends may break the library anywhere, but never the node."""
    if isinstance(error, PortMappingError):
        return error
    if isinstance(error, UpnpConnectionError):
        return PortMappingError(
            "upnp-silent",
            "the router was found, but does not answer its UPnP requests",
            "restart the router; if it stays so, forward the port by hand",
        )
    return PortMappingError(
        "upnp-broken",
        f"the router's UPnP answers make no sense ({type(error).__name__})",
        "update the router's firmware, or forward the port by hand",
    )
