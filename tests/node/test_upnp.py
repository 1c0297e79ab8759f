"""Port mapping against a router on loopback that speaks real SSDP and SOAP, with the quirks of real ones."""

import asyncio
import time
from functools import partial

import pytest

from streamrp2p_node import upnp_gateway, upnp_mapper
from streamrp2p_node.place import Place
from streamrp2p_node.port_mapping import PortMappingError
from streamrp2p_node.upnp_gateway import find_gateway
from streamrp2p_node.upnp_mapper import LEASE_SECONDS, UpnpPortMapper
from tests.support.igd import FakeRouter, Mapping, running_router

pytestmark = pytest.mark.integration

OWN, WISHED = 8200, 443


def mapper_of(router: FakeRouter, *, host: str = "127.0.0.1", wished: int = WISHED) -> UpnpPortMapper:  # fmt: skip
    return UpnpPortMapper(Place(host, OWN, wished), partial(find_gateway, router.target))


async def failure(mapper: UpnpPortMapper) -> str:
    with pytest.raises(PortMappingError) as caught:
        await mapper.ensure()
    assert caught.value.fix
    return caught.value.code


async def test_the_wished_port_is_mapped_with_a_lease_and_given_back() -> None:
    with running_router() as router:
        mapper = mapper_of(router)
        mapping = await mapper.ensure()
        assert (mapping.external_address, mapping.external_port) == ("198.51.100.7", WISHED)
        assert (mapping.lan_address, mapping.why_not_public) == ("127.0.0.1", "is private")
        assert router.mappings == {WISHED: Mapping("127.0.0.1", OWN, LEASE_SECONDS)}
        await mapper.remove()
        assert router.mappings == {}
        await mapper.remove()


async def test_a_lease_is_renewed_without_another_search() -> None:
    with running_router(external_address="8.8.8.8") as router:
        mapper = mapper_of(router)
        first = await mapper.ensure()
        searches = router.searches
        assert await mapper.ensure() == first
        assert first.why_not_public is None
        assert (router.mappings[WISHED].adds, router.searches) == (2, searches)


async def test_a_router_that_restarted_elsewhere_is_found_and_asked_again() -> None:
    with running_router() as router:
        mapper = mapper_of(router)
        first = await mapper.ensure()
        router.restart()
        assert router.mappings == {}
        assert await mapper.ensure() == first
        assert list(router.mappings) == [WISHED]


async def test_a_new_external_address_is_noticed() -> None:
    with running_router() as router:
        mapper = mapper_of(router)
        await mapper.ensure()
        router.external_address = "198.51.100.8"
        assert (await mapper.ensure()).external_address == "198.51.100.8"


@pytest.mark.parametrize("knows_no_entries", [False, True])
async def test_a_port_that_another_machine_has_is_left_to_it(knows_no_entries: bool) -> None:
    with running_router(knows_no_entries=knows_no_entries) as router:
        other = Mapping("192.168.1.99", 1, 0)
        router.mappings = {WISHED: other}
        mapper = mapper_of(router)
        assert (await mapper.ensure()).external_port == OWN
        assert router.mappings == {WISHED: other, OWN: Mapping("127.0.0.1", OWN, LEASE_SECONDS)}
        # The one that it got stays, also when the wished one is free again.
        del router.mappings[WISHED]
        assert (await mapper.ensure()).external_port == OWN


async def test_where_both_ports_are_taken_another_one_is_found() -> None:
    with running_router() as router:
        router.mappings = {port: Mapping("192.168.1.99", 1, 0) for port in (WISHED, OWN)}
        mapping = await mapper_of(router).ensure()
        assert 20_000 <= mapping.external_port < 60_000


async def test_a_mapping_of_an_earlier_run_is_taken_over() -> None:
    with running_router() as router:
        router.mappings = {WISHED: Mapping("127.0.0.1", OWN, 10)}
        assert (await mapper_of(router).ensure()).external_port == WISHED
        assert router.mappings[WISHED].lease_seconds == LEASE_SECONDS


@pytest.mark.parametrize("fault", [725, 402, 501])
async def test_a_router_without_leases_maps_without_an_end(fault: int) -> None:
    with running_router(leases=False, lease_fault=fault) as router:
        mapper = mapper_of(router)
        await mapper.ensure()
        await mapper.ensure()
        assert router.mappings[WISHED].lease_seconds == 0
        # Asked once with a lease, and never again.
        assert router.calls.count("AddPortMapping") == 3


async def test_a_router_that_wants_equal_ports_gets_them() -> None:
    with running_router(same_ports_alone=True) as router:
        assert (await mapper_of(router).ensure()).external_port == OWN


@pytest.mark.parametrize("code", [606, 401, 602, 716, 501, 9999])
async def test_a_refusal_is_told(code: int) -> None:
    with running_router(refusal=code) as router:
        assert await failure(mapper_of(router)) == "upnp-refused"


async def test_a_router_that_takes_every_port_away_is_not_asked_without_end() -> None:
    with running_router(refusal=718) as router:
        assert await failure(mapper_of(router)) == "upnp-refused"
        # Found anew once, then given up until the next call.
        assert router.calls.count("AddPortMapping") <= 10


@pytest.mark.parametrize(
    ("address", "reason"),
    [("100.64.7.1", "carrier-grade"), ("192.168.0.2", "private"), ("10.1.2.3", "private")],
)
async def test_a_router_behind_another_one_is_told(address: str, reason: str) -> None:
    with running_router(external_address=address) as router:
        mapping = await mapper_of(router).ensure()
        assert reason in (mapping.why_not_public or "")


@pytest.mark.parametrize("address", ["", "0.0.0.0", "nonsense", "1.2.3.4.5"])  # noqa: S104
async def test_a_router_that_is_offline_is_told(address: str) -> None:
    with running_router(external_address=address) as router:
        assert await failure(mapper_of(router)) == "router-offline"
        assert router.mappings == {}


async def test_a_node_that_the_router_cannot_reach_is_told() -> None:
    with running_router() as router:
        assert await failure(mapper_of(router, host="127.0.0.2")) == "listens-elsewhere"
        assert router.mappings == {}


async def test_where_no_router_answers_it_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upnp_gateway, "SEARCH_SECONDS", 0.2)
    with running_router(answers_search=False) as router:
        started = time.monotonic()
        assert await failure(mapper_of(router)) == "upnp-not-found"
        assert time.monotonic() - started < 10


async def test_a_router_that_falls_silent_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upnp_gateway, "HTTP_SECONDS", 1.5)
    monkeypatch.setattr(upnp_gateway, "SEARCH_SECONDS", 4)
    monkeypatch.setattr(upnp_mapper, "REMOVE_SECONDS", 0.2)
    with running_router() as router:
        mapper = mapper_of(router)
        await mapper.ensure()
        router.is_silent = True
        assert await failure(mapper) == "upnp-silent"
        router.is_silent = False
        router.silence.set()
        assert (await mapper.ensure()).external_port == WISHED
        router.silence.clear()
        router.is_silent = True
        async with asyncio.timeout(10):
            await mapper.remove()


BOMB = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">""" + b"".join(
    b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 30) for letter in range(ord("b"), ord("k"))
) + b"]><root>&j;</root>"  # fmt: skip
NONSENSE = {
    "empty": b"",
    "not xml": b"<html><body>login",
    "bytes": bytes(range(256)),
    "entities": BOMB,
    "file": b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><root>&x;</root>',
    "no device": b'<root xmlns="urn:schemas-upnp-org:device-1-0"/>',
    "deep": b"<a>" * 30_000,
    "deep devices": b'<root xmlns="urn:schemas-upnp-org:device-1-0">'
    + b"<device><deviceList>" * 6000
    + b"</deviceList></device>" * 6000
    + b"</root>",
    "large": b" " * 1_000_000,
}


@pytest.mark.parametrize("path", ["/description.xml", "/scpd.xml", "/control"])
@pytest.mark.parametrize("nonsense", list(NONSENSE.values()), ids=list(NONSENSE))
async def test_nonsense_from_the_router_is_told_and_breaks_nothing(
    path: str, nonsense: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upnp_gateway, "SEARCH_SECONDS", 0.5)
    with running_router(raw={path: nonsense}) as router:
        assert await failure(mapper_of(router)) in (
            "upnp-broken",
            "upnp-no-mapping",
            "upnp-refused",
            "router-offline",
        )
        assert router.mappings == {}


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost", "169.254.169.254", "router.example"])
async def test_an_answer_that_leads_to_another_machine_is_not_followed(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upnp_gateway, "SEARCH_SECONDS", 0.2)
    with running_router(location_host=host) as router:
        assert await failure(mapper_of(router)) == "upnp-not-found"
        assert router.paths == []


async def test_a_description_that_leads_to_another_machine_is_not_followed() -> None:
    with running_router(control_url="http://127.0.0.2:9/control") as router:
        assert await failure(mapper_of(router)) == "upnp-no-mapping"
        assert "AddPortMapping" not in router.calls
