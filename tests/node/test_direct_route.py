"""The shortest way out answers as the application would, or not at all, and the account is the same."""

import pytest

from streamrp2p.api import SESSION_HEADER
from streamrp2p_node import direct_route
from streamrp2p_node.direct_route import DirectRoute
from streamrp2p_node.store import Store
from tests.node.conftest import CREDIT_BYTES, World
from tests.node.fakes import POOL, make_receipt, make_ticket, opening_of

TICKET, SIGNATURE = make_ticket()
SESSION = "0x" + TICKET.session_id.hex()
HEADERS = {SESSION_HEADER.lower().encode(): SESSION.encode()}
URL = f"/v1/streams/{POOL}/source-1.m4s".encode()


async def watched(world: World) -> DirectRoute:
    """Open the session and let it get the stream's second segment, which is in memory then: 1,000 bytes."""
    opened = await world.http.post("/v1/sessions", json=opening_of(TICKET, SIGNATURE).dump())
    assert opened.status_code == 201
    got = await world.http.get(URL.decode(), headers={SESSION_HEADER: SESSION})
    assert got.status_code == 200
    return DirectRoute(world.relay)


async def pay(world: World, delivered: int) -> None:
    receipt = make_receipt(TICKET, 1, delivered)
    assert (await world.http.post("/v1/receipts", json=receipt.dump())).status_code == 204


def served(world: World) -> tuple[int, int, int]:
    """Return what the session owes, what the pool was served, and what counts for the month."""
    session = world.store.book.get(TICKET.session_id)
    assert session is not None
    counted = world.relay.bytes_served[POOL], world.doors.month.bytes_served
    return session.credit.unpaid_bytes, *counted


@pytest.mark.parametrize("wanted", [None, "bytes=100-349", "bytes=-1", "bytes=0-1,5-6", "lines=1"])
async def test_an_object_is_answered_as_by_the_application(
    world: World, wanted: str | None
) -> None:
    route = await watched(world)
    given = {} if wanted is None else {"range": wanted}
    raw = {name.encode(): value.encode() for name, value in given.items()}
    answer = route.answer(URL, HEADERS | raw)
    owed_directly = served(world)[0] - 1000
    assert answer is not None
    await pay(world, 1000 + owed_directly)
    other = await world.http.get(URL.decode(), headers={SESSION_HEADER: SESSION} | given)
    status, *lines = answer.head.removesuffix(b"\r\n").split(b"\r\n")
    assert status.startswith(f"HTTP/1.1 {other.status_code} ".encode())
    names_and_values = [tuple(line.split(b": ", 1)) for line in lines]
    named = [each for each in other.headers.raw if each[0] != b"x-request-id"]
    assert sorted(names_and_values) == sorted(named)
    assert bytes(answer.body) == other.content
    assert owed_directly == len(other.content)
    assert served(world) == (owed_directly, *(1000 + 2 * owed_directly,) * 2)


async def test_what_is_answered_is_in_the_journal_before_it_leaves(world: World) -> None:
    route = await watched(world)
    assert route.answer(URL, HEADERS) is not None
    after_kill_9 = Store(world.folder.journals).book.get(TICKET.session_id)
    assert after_kill_9 is not None
    assert after_kill_9.credit.served_bytes == 2000


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        (URL, {}),
        (URL, {SESSION_HEADER.lower().encode(): b"0x" + b"00" * 32}),
        (URL, HEADERS | {b"range": b"bytes=1000-"}),
        (URL + b"?again", HEADERS),
        (URL.replace(b"-1", b"%2d1"), HEADERS),
        (URL.replace(b"-1", b"-2"), HEADERS),
        (URL.replace(b"-1", b"-\xff"), HEADERS),
        (b"http://node" + URL, HEADERS),
        (f"/v1/streams/{POOL + 1}/source-1.m4s".encode(), HEADERS),
        (f"/v1/streams/{POOL}/source.m3u8".encode(), HEADERS),
        (f"/v1/streams/{POOL}/path".encode(), HEADERS),
        (b"/v1/status", HEADERS),
    ],
)
async def test_all_else_is_left_to_the_application_and_costs_nothing(
    world: World, url: bytes, headers: dict[bytes, bytes]
) -> None:
    route = await watched(world)
    assert route.answer(url, headers) is None
    assert served(world) == (1000, 1000, 1000)


async def test_an_object_on_the_disk_alone_is_left_to_the_application(world: World) -> None:
    route = await watched(world)
    memory = world.cache._memory
    for digest in memory:
        memory.remove(digest)
    assert route.answer(URL, HEADERS) is None
    assert served(world) == (1000, 1000, 1000)


async def test_what_does_not_leave_in_one_piece_is_left_to_the_application(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = await watched(world)
    monkeypatch.setattr(direct_route, "CHUNK_BYTES", 999)
    assert route.answer(URL, HEADERS) is None
    assert route.answer(URL, HEADERS | {b"range": b"bytes=1-"}) is not None
    assert served(world) == (1999, 1999, 1999)


async def test_no_more_is_given_on_trust_than_by_the_application(world: World) -> None:
    route = await watched(world)
    answers = [route.answer(URL, HEADERS) for _ in range(3)]
    assert [answer is not None for answer in answers] == [True, False, False]
    assert served(world)[0] == 2000 <= CREDIT_BYTES
    refused = await world.http.get(URL.decode(), headers={SESSION_HEADER: SESSION})
    assert refused.status_code == 402
