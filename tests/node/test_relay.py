"""The relay's HTTP API, end to end but for the network."""

import asyncio
import os
from hashlib import sha256

import httpx
import pytest

from streamrp2p import typed_data
from streamrp2p.api import SESSION_HEADER
from streamrp2p_node.live_stream import LiveStream
from streamrp2p_node.store import Store
from tests.node.conftest import CREDIT_BYTES, World
from tests.node.disk import FullDisk
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import (
    EPOCH_SECONDS,
    GENESIS,
    NODE,
    OTHER,
    OTHER_KEY,
    POOL,
    make_receipt,
    make_ticket,
    opening_of,
)


def slug_of(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    kind: str = response.json()["type"]
    assert response.json()["status"] == response.status_code
    return kind.removeprefix("urn:streamrp2p:problem:")


async def open_session(world: World, **fields: int) -> typed_data.SessionTicket:
    ticket, signature = make_ticket(**fields)  # type: ignore[arg-type]
    response = await world.http.post("/v1/sessions", json=opening_of(ticket, signature).dump())
    assert response.status_code == 201, response.text
    return ticket


async def get(world: World, name: str, ticket: typed_data.SessionTicket) -> httpx.Response:
    headers = {SESSION_HEADER: "0x" + ticket.session_id.hex()}
    return await world.http.get(f"/v1/streams/{POOL}/{name}", headers=headers)


async def pay(
    world: World, ticket: typed_data.SessionTicket, sequence: int, delivered: int
) -> httpx.Response:
    return await world.http.post(
        "/v1/receipts", json=make_receipt(ticket, sequence, delivered).dump()
    )


async def test_a_viewer_with_a_ticket_gets_the_playlist_byte_for_byte_and_its_segments(
    world: World,
) -> None:
    ticket, signature = make_ticket()
    opened = await world.http.post("/v1/sessions", json=opening_of(ticket, signature).dump())
    assert opened.json() == {
        "sessionId": "0x" + ticket.session_id.hex(),
        "creditBytes": CREDIT_BYTES,
    }
    playlist = await get(world, "live.m3u8", ticket)
    assert playlist.content == world.origin.multivariant()
    media = await get(world, "source.m3u8", ticket)
    assert media.content == world.origin.playlist()
    delta = await get(world, "source.m3u8?_HLS_skip=YES", ticket)
    assert delta.content == world.origin.playlist(is_delta=True) != media.content
    segment = await get(world, "source-1.m4s", ticket)
    assert segment.content == world.origin.segment(1)
    assert segment.headers["content-type"] == "video/iso.segment"


async def test_unpaid_bytes_end_the_service_and_a_receipt_renews_it(world: World) -> None:
    ticket = await open_session(world)
    assert (await get(world, "source-0.m4s", ticket)).status_code == 200
    assert (await get(world, "source-1.m4s", ticket)).status_code == 200
    refused = await get(world, "source-2.m4s", ticket)
    assert refused.status_code == 402
    assert slug_of(refused) == "payment-required"
    assert (await pay(world, ticket, 1, 1000)).status_code == 204
    assert (await get(world, "source-2.m4s", ticket)).status_code == 200
    assert (await get(world, "source-3.m4s", ticket)).status_code == 402


async def test_a_receipt_for_more_than_was_served_is_kept_but_buys_nothing_in_advance(
    world: World,
) -> None:
    ticket = await open_session(world)
    await get(world, "source-0.m4s", ticket)
    assert (await pay(world, ticket, 1, 9_000_000)).status_code == 204
    session = world.store.book.get(ticket.session_id)
    assert session is not None
    assert session.newest is not None
    assert session.newest.receipt.bytes_delivered == 9_000_000
    assert (session.credit.served_bytes, session.credit.covered_bytes) == (1000, 1000)
    assert (await get(world, "source-1.m4s", ticket)).status_code == 200
    assert (await get(world, "source-2.m4s", ticket)).status_code == 200
    assert (await get(world, "source-3.m4s", ticket)).status_code == 402


async def test_many_viewers_of_one_segment_cost_one_upstream_fetch(world: World) -> None:
    tickets = [await open_session(world, nonce=nonce) for nonce in range(10)]
    answers = await asyncio.gather(*(get(world, "source-0.m4s", ticket) for ticket in tickets))
    assert {answer.content for answer in answers} == {world.origin.segment(0)}
    assert world.origin.requests.count("source-0.m4s") == 1
    assert world.origin.requests.count("live.m3u8") == 1


async def test_a_corrupt_segment_from_the_origin_is_neither_served_nor_charged(
    world: World,
) -> None:
    ticket = await open_session(world)
    world.origin.corrupt.add("source-0.m4s")
    refused = await get(world, "source-0.m4s", ticket)
    assert (refused.status_code, slug_of(refused)) == (502, "origin-failed")
    session = world.store.book.get(ticket.session_id)
    assert session is not None
    assert session.credit.unpaid_bytes == 0
    world.origin.corrupt.clear()
    assert (await get(world, "source-0.m4s", ticket)).content == world.origin.segment(0)


async def test_a_playlist_that_the_origin_did_not_sign_is_not_served(world: World) -> None:
    ticket = await open_session(world)
    world.origin.key = OTHER_KEY
    refused = await get(world, "live.m3u8", ticket)
    assert (refused.status_code, slug_of(refused)) == (502, "origin-failed")
    assert "signed by" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("header", "status", "slug"),
    [
        (None, 401, "session-missing"),
        ("0x" + "00" * 32, 401, "session-unknown"),
        ("0x1234", 422, "bad-request"),
        ("../../etc/passwd", 422, "bad-request"),
    ],
)
@pytest.mark.parametrize("name", ["live.m3u8", "source-0.m4s"])
async def test_requests_without_a_known_session_are_refused(
    world: World, header: str | None, status: int, slug: str, name: str
) -> None:
    headers = {} if header is None else {SESSION_HEADER: header}
    refused = await world.http.get(f"/v1/streams/{POOL}/{name}", headers=headers)
    assert (refused.status_code, slug_of(refused)) == (status, slug)
    assert world.origin.requests == []


async def test_a_session_of_one_pool_opens_no_other(world: World) -> None:
    ticket = await open_session(world)
    headers = {SESSION_HEADER: "0x" + ticket.session_id.hex()}
    refused = await world.http.get("/v1/streams/8/live.m3u8", headers=headers)
    assert (refused.status_code, slug_of(refused)) == (403, "session-for-other-pool")


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({"key": OTHER_KEY}, "ticket-invalid"),
        ({"node": OTHER}, "ticket-for-other-node"),
        ({"epoch": 1}, "ticket-invalid"),
        ({"expires_at": GENESIS + 9}, "ticket-expired"),
        ({"issued_at": GENESIS + 30}, "ticket-invalid"),
        ({"pool_id": 99}, "pool-unknown"),
    ],
)
async def test_tickets_that_admit_nobody_here_and_now_are_refused(
    world: World, fields: dict[str, int], slug: str
) -> None:
    ticket, signature = make_ticket(**fields)  # type: ignore[arg-type]
    refused = await world.http.post("/v1/sessions", json=opening_of(ticket, signature).dump())
    assert refused.status_code in (403, 404)
    assert slug_of(refused) == slug
    assert len(world.store.book) == 0


async def test_a_ticket_with_one_altered_field_is_refused(world: World) -> None:
    ticket, signature = make_ticket()
    opening = opening_of(ticket, signature).dump()
    opening["ticket"]["maxBytes"] += 1
    refused = await world.http.post("/v1/sessions", json=opening)
    assert (refused.status_code, slug_of(refused)) == (403, "ticket-invalid")


async def test_a_ticket_of_a_past_epoch_is_refused(world: World) -> None:
    world.clock.now = GENESIS + 2 * EPOCH_SECONDS + 1
    ticket, signature = make_ticket(expires_at=GENESIS + 1000)
    refused = await world.http.post("/v1/sessions", json=opening_of(ticket, signature).dump())
    assert (refused.status_code, slug_of(refused)) == (403, "ticket-expired")


async def test_the_same_ticket_again_opens_the_same_session(world: World) -> None:
    ticket = await open_session(world)
    await get(world, "source-0.m4s", ticket)
    await open_session(world)
    session = world.store.book.get(ticket.session_id)
    assert session is not None
    assert session.credit.unpaid_bytes == 1000


async def test_a_session_ends_with_its_ticket(world: World) -> None:
    ticket = await open_session(world)
    world.clock.now = GENESIS + EPOCH_SECONDS
    refused = await get(world, "source-0.m4s", ticket)
    assert (refused.status_code, slug_of(refused)) == (403, "ticket-expired")


async def test_no_more_is_served_than_the_ticket_allows(world: World) -> None:
    ticket = await open_session(world, max_bytes=1500)
    assert (await get(world, "source-0.m4s", ticket)).status_code == 200
    refused = await get(world, "source-1.m4s", ticket)
    assert (refused.status_code, slug_of(refused)) == (403, "ticket-exhausted")


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e%2fnode.keystore.json",
        "..",
        "%00",
        "node.keystore.json",
        "source-99.m4s",
        "live.m3u8%00.ts",
    ],
)
async def test_names_that_the_playlist_does_not_vouch_for_are_never_fetched_or_read(
    world: World, name: str
) -> None:
    ticket = await open_session(world)
    refused = await get(world, name, ticket)
    assert refused.status_code == 404
    assert set(world.origin.requests) <= {"live.m3u8", "source.m3u8"}


async def test_receipts_that_nobody_would_pay_are_refused_and_not_kept(world: World) -> None:
    ticket = await open_session(world)
    wrong = [
        make_receipt(ticket, 1, 10, key=OTHER_KEY),
        make_receipt(ticket, 1, 10, on_time=11),
        make_receipt(ticket, 1, 10, signed_at=GENESIS + 10 + 121),
        make_receipt(ticket, 1, 10, signed_at=GENESIS - 121),
    ]
    for receipt in wrong:
        refused = await world.http.post("/v1/receipts", json=receipt.dump())
        assert (refused.status_code, slug_of(refused)) == (422, "receipt-invalid")
    session = world.store.book.get(ticket.session_id)
    assert session is not None
    assert session.newest is None


async def test_on_a_full_disk_no_receipt_is_promised_and_service_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await open_session(world)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", FullDisk(20))
        assert (await get(world, "source-0.m4s", ticket)).status_code == 200
        refused = await pay(world, ticket, 1, 1000)
        assert (refused.status_code, slug_of(refused)) == (503, "storage-full")
        assert str(world.folder.root) not in refused.text
        assert refused.headers["retry-after"] == "2"
        assert (await world.http.get("/healthz")).status_code == 200
    assert (await pay(world, ticket, 1, 1000)).status_code == 204


async def test_receipts_are_cumulative_and_rise(world: World) -> None:
    ticket = await open_session(world)
    assert (await pay(world, ticket, 5, 100)).status_code == 204
    assert (await pay(world, ticket, 5, 100)).status_code == 204
    assert slug_of(await pay(world, ticket, 5, 101)) == "receipt-not-newer"
    assert slug_of(await pay(world, ticket, 4, 50)) == "receipt-not-newer"
    assert slug_of(await pay(world, ticket, 6, 99)) == "receipt-invalid"
    assert (await pay(world, ticket, 6, 100)).status_code == 204


async def test_a_receipt_of_an_unknown_session_is_refused(world: World) -> None:
    ticket, _ = make_ticket()
    refused = await pay(world, ticket, 1, 10)
    assert (refused.status_code, slug_of(refused)) == (401, "session-unknown")


async def test_receipts_are_taken_until_intake_closes(world: World) -> None:
    ticket = await open_session(world)
    world.clock.now = GENESIS + EPOCH_SECONDS + 19
    assert (await pay(world, ticket, 1, 10)).status_code == 204
    world.clock.now = GENESIS + EPOCH_SECONDS + 20
    refused = await pay(world, ticket, 2, 20)
    assert (refused.status_code, slug_of(refused)) == (410, "intake-closed")


@pytest.mark.parametrize("path", ["/v1/sessions", "/v1/receipts"])
async def test_bodies_are_bounded_and_must_be_messages(world: World, path: str) -> None:
    large = await world.http.post(path, content=b" " * 20_000)
    assert (large.status_code, slug_of(large)) == (413, "body-too-large")

    async def chunks() -> object:
        for _ in range(20):
            yield b" " * 1000

    chunked = await world.http.post(path, content=chunks())  # type: ignore[arg-type]
    assert (chunked.status_code, slug_of(chunked)) == (413, "body-too-large")
    for body in (b"", b"{", b"[]", b'{"a":1}', b"\xff"):
        wrong = await world.http.post(path, content=body)
        assert (wrong.status_code, slug_of(wrong)) == (422, "bad-request")


async def test_a_node_without_room_sends_viewers_elsewhere(world: World) -> None:
    for nonce in range(50):
        await open_session(world, nonce=nonce)
    ticket, signature = make_ticket(nonce=50)
    refused = await world.http.post("/v1/sessions", json=opening_of(ticket, signature).dump())
    assert (refused.status_code, slug_of(refused)) == (503, "node-full")


async def test_head_requests_charge_nobody(world: World) -> None:
    ticket = await open_session(world)
    headers = {SESSION_HEADER: "0x" + ticket.session_id.hex()}
    refused = await world.http.head(f"/v1/streams/{POOL}/source-0.m4s", headers=headers)
    assert refused.status_code == 405
    session = world.store.book.get(ticket.session_id)
    assert session is not None
    assert session.credit.served_bytes == 0


async def test_the_status_tells_sessions_bytes_and_the_cache(world: World) -> None:
    ticket = await open_session(world)
    await get(world, "source-0.m4s", ticket)
    await get(world, "source-1.m4s", ticket)
    await pay(world, ticket, 1, 1000)
    status = (await world.http.get("/v1/status")).json()
    assert status["node"] == "0x" + NODE.hex()
    assert status["epoch"] == 0
    assert (status["sessions"], status["stoppedSessions"]) == (1, 0)
    assert (status["bytesServed"], status["unpaidBytes"]) == (2000, 1000)
    assert status["unsubmittedReceipts"] == 1
    assert status["pools"] == [
        {
            "poolId": POOL,
            "bytesServed": 2000,
            "sessions": 1,
            "unpaidBytes": 1000,
            "path": ["0x" + NODE.hex()],
            "upstream": "origin",
            "waitingRequests": 0,
            "segmentsJoined": 0,
            "origin": {
                "objectsFetched": 2,
                "playlistsFetched": 2,
                "bytesReceived": 2000
                + len(world.origin.multivariant())
                + len(world.origin.playlist()),
            },
            "relays": {"objectsFetched": 0, "playlistsFetched": 0, "bytesReceived": 0},
        }
    ]
    assert (status["cache"]["diskBytes"], status["cache"]["diskSegments"]) == (2000, 2)
    assert status["lastAck"] is None


async def test_a_stale_playlist_is_served_on_while_the_origin_is_down(world: World) -> None:
    ticket = await open_session(world)
    first = (await get(world, "live.m3u8", ticket)).content
    world.origin.is_down = True
    await asyncio.sleep(0.35)
    assert (await get(world, "live.m3u8", ticket)).content == first


async def test_an_older_signed_playlist_does_not_replace_a_newer_one(world: World) -> None:
    ticket = await open_session(world)
    newest = (await get(world, "live.m3u8", ticket)).content
    world.origin.published_at -= 1
    world.origin.count = 2
    await asyncio.sleep(0.35)
    assert (await get(world, "live.m3u8", ticket)).content == newest


async def test_requests_at_once_cannot_overdraw_the_credit(world: World) -> None:
    ticket = await open_session(world)
    names = ["source-0.m4s", "source-1.m4s", "source-2.m4s", "source-3.m4s"]
    answers = await asyncio.gather(*(get(world, name, ticket) for name in names))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 402, 402]
    session = world.store.book.get(ticket.session_id)
    assert session is not None
    assert session.credit.unpaid_bytes == 2000


async def test_receipts_at_once_are_all_kept(world: World) -> None:
    tickets = [await open_session(world, nonce=nonce) for nonce in range(20)]
    answers = await asyncio.gather(*(pay(world, ticket, 1, 10) for ticket in tickets))
    assert {answer.status_code for answer in answers} == {204}
    replayed = Store(world.folder.journals).book
    assert [session.newest is not None for session in replayed] == [True] * 20


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/v1/sessions", 405), ("DELETE", "/v1/receipts", 405)],
)
async def test_paths_and_methods_that_do_not_exist_are_problems_too(
    world: World, method: str, path: str, status: int
) -> None:
    refused = await world.http.request(method, path)
    assert refused.status_code == status
    assert slug_of(refused) in ("not-found", "method-not-allowed")


async def test_a_player_in_a_browser_of_another_site_may_ask(world: World) -> None:
    answer = await world.http.options(
        f"/v1/streams/{POOL}/live.m3u8",
        headers={
            "Origin": "https://player.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": SESSION_HEADER,
        },
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert SESSION_HEADER.lower() in answer.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize("query", ["_HLS_msn=x", "_HLS_part=1", "_HLS_msn=9", "_HLS_skip=no"])
async def test_malformed_or_hopeless_waits_are_refused(world: World, query: str) -> None:
    ticket = await open_session(world)
    refused = await get(world, f"source.m3u8?{query}", ticket)
    assert (refused.status_code, slug_of(refused)) == (400, "bad-query")


async def test_a_session_waits_a_few_times_at_once_and_no_more(world: World) -> None:
    ticket, other = await open_session(world), await open_session(world, nonce=2)
    name = "source.m3u8?_HLS_msn=4&_HLS_part=0"
    waiting = [asyncio.create_task(get(world, name, ticket)) for _ in range(4)]
    stream = await waits(world, 4)
    refused = await get(world, name, ticket)
    assert (refused.status_code, slug_of(refused)) == (429, "too-many-waiting")
    waiting.append(asyncio.create_task(get(world, name, other)))
    await waits(world, 5)
    assert (await world.http.get("/v1/status")).json()["pools"][0]["waitingRequests"] == 5
    world.origin.publish()
    answers = await asyncio.gather(*waiting)
    assert {answer.content for answer in answers} == {world.origin.playlist()}
    assert stream.waiting == 0
    assert (await get(world, name, ticket)).status_code == 200


async def waits(world: World, requests: int) -> LiveStream:
    async with asyncio.timeout(30):
        while (stream := world.streams.find(POOL)) is None or stream.waiting < requests:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return stream


async def test_an_object_of_another_pool_is_unknown_here_though_it_is_in_the_cache(
    world: World,
) -> None:
    others = FakeOrigin(pool_id=8)
    data = others.segment(0)
    world.cache.put(sha256(data).digest(), data)
    ticket = await open_session(world)
    refused = await get(world, "source-9.m4s", ticket)
    assert (refused.status_code, slug_of(refused)) == (404, "segment-unknown")
    # The name is one of this pool's too: what it gets is this pool's.
    assert (await get(world, "source-0.m4s", ticket)).content == world.origin.segment(0) != data
