"""Parts of objects over HTTP: what is answered, and what is owed for it."""

import httpx

from streamrp2p import typed_data
from streamrp2p.api import SESSION_HEADER
from tests.node.conftest import CREDIT_BYTES, World
from tests.node.fakes import POOL, make_ticket, opening_of


async def open_session(world: World) -> typed_data.SessionTicket:
    ticket, signature = make_ticket()
    opened = await world.http.post("/v1/sessions", json=opening_of(ticket, signature).dump())
    assert opened.status_code == 201
    return ticket


async def ask(
    world: World, ticket: typed_data.SessionTicket, wanted: str, method: str = "GET"
) -> httpx.Response:
    headers = {
        SESSION_HEADER: "0x" + ticket.session_id.hex(),
        "Range": wanted,
        "Origin": "https://player.test",
    }
    return await world.http.request(method, f"/v1/streams/{POOL}/source-1.m4s", headers=headers)


def unpaid(world: World, ticket: typed_data.SessionTicket) -> int:
    session = world.store.book.get(ticket.session_id)
    assert session is not None
    return session.credit.unpaid_bytes


async def test_a_range_is_answered_with_those_bytes_and_costs_those_alone(world: World) -> None:
    ticket = await open_session(world)
    answer = await ask(world, ticket, "bytes=100-349")
    assert (answer.status_code, answer.content) == (206, world.origin.segment(1)[100:350])
    assert answer.headers["content-range"] == "bytes 100-349/1000"
    assert answer.headers["content-length"] == "250"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Content-Range" in answer.headers["access-control-expose-headers"]
    assert unpaid(world, ticket) == 250
    assert world.relay.bytes_served.total() == 250


async def test_credit_is_asked_for_the_range_and_not_for_the_object(world: World) -> None:
    ticket = await open_session(world)
    for _ in range(CREDIT_BYTES // 1000):
        assert (await ask(world, ticket, "bytes=0-")).status_code == 206
    left = CREDIT_BYTES % 1000
    assert (await ask(world, ticket, f"bytes=0-{left}")).status_code == 402
    assert (await ask(world, ticket, f"bytes=0-{left - 1}")).status_code == 206
    assert unpaid(world, ticket) == CREDIT_BYTES


async def test_several_ranges_are_answered_with_the_whole(world: World) -> None:
    ticket = await open_session(world)
    answer = await ask(world, ticket, "bytes=0-1,5-6")
    assert (answer.status_code, answer.content) == (200, world.origin.segment(1))
    assert answer.headers["accept-ranges"] == "bytes"
    assert "content-range" not in answer.headers


async def test_a_range_behind_the_end_is_refused_and_costs_nothing(world: World) -> None:
    ticket = await open_session(world)
    answer = await ask(world, ticket, "bytes=1000-")
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */1000"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["type"] == "urn:streamrp2p:problem:range-unsatisfiable"
    assert unpaid(world, ticket) == 0


async def test_head_is_refused_and_costs_nothing(world: World) -> None:
    ticket = await open_session(world)
    assert (await ask(world, ticket, "bytes=0-9", "HEAD")).status_code == 405
    assert unpaid(world, ticket) == 0
