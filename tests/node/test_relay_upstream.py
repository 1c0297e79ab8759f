"""Relays that are fed by relays: real nodes in one process, one behind the other, and an origin before them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from streamrp2p import api
from streamrp2p.numbers import Address, Hash
from streamrp2p.playlist import MediaObject, Reload
from streamrp2p.signatures import address_of, sign
from streamrp2p.traces import NO_TRACES, Traces
from streamrp2p.typed_data import RelayPath
from streamrp2p.viewer.avoided import Avoided
from streamrp2p_node import relay_upstream
from streamrp2p_node.folder import Folder
from streamrp2p_node.known_objects import Listed
from streamrp2p_node.live_stream import LiveStream
from streamrp2p_node.relay_upstream import RelayUpstream
from streamrp2p_node.upstream import Source
from tests.node.conftest import World, close_world, make_world
from tests.node.fake_origin import PARTS, FakeOrigin
from tests.node.fakes import (
    DOMAIN,
    GENESIS,
    NODE_KEY,
    ORIGIN,
    ORIGIN_URL,
    OTHER_KEY,
    POOL,
    Clock,
    FakeCoordinator,
    make_pool,
)
from tests.support.spans import KeptTraces, attributes

PATIENCE_SECONDS = 30.0
KEYS = (NODE_KEY, OTHER_KEY, bytes([3]) * 32, bytes([4]) * 32)
Tamper = Callable[[httpx.Request, httpx.Response], httpx.Response | None]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is done every few seconds be done every few hundredths."""
    monkeypatch.setattr(relay_upstream, "KEEP_SECONDS", 0.02)
    monkeypatch.setattr(relay_upstream, "PATH_SECONDS", 0.05)
    monkeypatch.setattr(relay_upstream, "LOOK_SECONDS", 0.1)


class Network(httpx.AsyncBaseTransport):
    """Leads to the origin and to every node by its host; `tamper` may change what a host answers."""

    def __init__(self, origin: FakeOrigin) -> None:
        self.origin = origin
        self.nodes: dict[str, httpx.AsyncBaseTransport] = {}
        self.tamper: dict[str, Tamper] = {}
        self.requests: list[tuple[str, str, str]] = []
        """Method, host and path."""
        self._cuts: dict[str, asyncio.Event] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.requests.append((request.method, host, request.url.path))
        if host == "origin.test":
            answer = await self.origin(request)
        elif host in self.nodes:
            answer = await self._answer(host, request)
        else:
            raise httpx.ConnectError("no such host", request=request)
        tamper = self.tamper.get(host)
        return (tamper and tamper(request, answer)) or answer

    def cut(self, host: str) -> httpx.AsyncBaseTransport:
        """Take a node away, and break what it was answering."""
        self._cuts.pop(host).set()
        return self.nodes.pop(host)

    async def _answer(self, host: str, request: httpx.Request) -> httpx.Response:
        cut = self._cuts.setdefault(host, asyncio.Event())
        answering = asyncio.ensure_future(self.nodes[host].handle_async_request(request))
        cutting = asyncio.ensure_future(cut.wait())
        try:
            await asyncio.wait({answering, cutting}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                raise httpx.ReadError("cut", request=request)
            answer = answering.result()
            await answer.aread()
            return answer
        finally:
            answering.cancel()
            cutting.cancel()


@dataclass(slots=True)
class Chain:
    """Nodes `n0`, `n1`... of which all but `n0` are fed by relays. Tickets are given in the order of `offers`."""

    folder: Path
    clock: Clock
    coordinator: FakeCoordinator
    origin: FakeOrigin
    network: Network
    nodes: list[World] = field(default_factory=list)

    async def add(self, *, is_fed_by_relays: bool = True, traces: Traces = NO_TRACES) -> World:
        number = len(self.nodes)
        host = f"n{number}.test"
        world = await make_world(
            Folder(self.folder / host), coordinator=self.coordinator, origin=self.origin, clock=self.clock,
            key=KEYS[number], endpoint=f"http://{host}", network=self.network,
            is_fed_by_relays=is_fed_by_relays, credit_bytes=1_000_000, traces=traces,
        )  # fmt: skip
        await world.view.refresh()
        self.network.nodes[host] = world.http._transport
        self.nodes.append(world)
        return world

    def offer(self, *numbers: int) -> None:
        self.coordinator.offers = [
            (address_of(KEYS[number]), f"http://n{number}.test") for number in numbers
        ]

    def stream(self, number: int) -> LiveStream:
        source = Source(POOL, ORIGIN_URL, ORIGIN, DOMAIN)
        return self.nodes[number].streams.of(source)

    def upstream(self, number: int) -> RelayUpstream:
        upstream = self.stream(number).upstream
        assert isinstance(upstream, RelayUpstream)
        return upstream

    def asked(self, host: str, start: str) -> list[str]:
        names = [path.rsplit("/", 1)[-1] for _, to, path in self.network.requests if to == host]
        return [name for name in names if name.startswith(start)]

    async def playlist(self, number: int) -> bytes:
        return await self.stream(number).media("source", Reload())

    async def data(self, number: int, name: str) -> bytes:
        stream = self.stream(number)
        return await stream.data(await stream.find(name))

    async def path(self, number: int) -> list[Address]:
        answer = await self.nodes[number].http.get(f"/v1/streams/{POOL}/path")
        assert answer.status_code == 200
        return [Address(bytes.fromhex(node[2:])) for node in answer.json()["path"]]


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[Chain]:
    clock = Clock()
    origin = FakeOrigin()
    made = Chain(tmp_path, clock, FakeCoordinator(clock), origin, Network(origin))
    yield made
    # Downstream first: what is owed upstream is paid while that still runs.
    for world in reversed(made.nodes):
        await close_world(world)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - the state of what is tested, which tells nobody
            await asyncio.sleep(0.005)


def addresses(*numbers: int) -> list[Address]:
    return [address_of(KEYS[number]) for number in numbers]


async def test_stream_comes_through_a_relay_byte_for_byte_and_the_relay_is_paid(
    chain: Chain,
) -> None:
    await chain.add(is_fed_by_relays=False)
    fed = await chain.add()
    chain.offer(1, 0)
    assert await chain.stream(1).multivariant() == chain.origin.multivariant()
    assert await chain.playlist(1) == chain.origin.playlist()
    assert await chain.data(1, "source-3.m4s") == chain.origin.segment(3)
    assert await chain.data(1, "source-0.init.mp4") == b"map of source"
    # It asked for a relay other than itself.
    assert chain.coordinator.requests[0].excluded_nodes[0] == address_of(KEYS[1])
    (session,) = chain.nodes[0].store.book
    await until(lambda: _paid(chain, 0) == 1000 + len(b"map of source"))
    assert session.ticket.node == address_of(KEYS[0])
    (pool,) = (await fed.http.get("/v1/status")).json()["pools"]
    assert pool["upstream"] == "http://n0.test"
    assert pool["path"] == ["0x" + node.hex() for node in addresses(0, 1)]
    assert (pool["origin"]["bytesReceived"], pool["relays"]["objectsFetched"]) == (0, 2)
    (record,) = chain.nodes[0].store.book
    assert record.newest is not None
    assert record.newest.receipt.bytes_on_time == record.newest.receipt.bytes_delivered


async def test_what_a_relay_sends_and_is_paid_is_traced_without_its_url_and_session(
    chain: Chain,
) -> None:
    await chain.add(is_fed_by_relays=False)
    traces = KeptTraces("node")
    await chain.add(traces=traces)
    chain.offer(0)
    await chain.data(1, "source-3.m4s")
    await until(lambda: bool(traces.spans("pay relay")))
    fetched, paid = traces.one("fetch object"), traces.one("pay relay")
    assert attributes(fetched) == {"pool.id": POOL, "upstream": "relay", "object.bytes": 1000}
    assert attributes(paid) == {"pool.id": POOL, "receipt.bytes": 1000}
    assert paid.parent is None
    (session,) = chain.nodes[0].store.book
    secrets = ("http", "n0.test", session.ticket.session_id.hex())
    assert [secret for secret in secrets if secret in traces.said()] == []


def _paid(chain: Chain, number: int) -> int:
    return sum(
        session.newest.receipt.bytes_delivered
        for session in chain.nodes[number].store.book
        if session.newest is not None
    )


async def test_three_relays_stand_in_a_row_and_the_fourth_takes_the_origin(chain: Chain) -> None:
    await chain.add(is_fed_by_relays=False)
    for number in (1, 2, 3):
        await chain.add()
        chain.offer(number - 1)
        assert await chain.playlist(number) == chain.origin.playlist()
        assert await chain.data(number, "source-3.m4s") == chain.origin.segment(3)
    assert await chain.path(0) == addresses(0)
    assert await chain.path(1) == addresses(0, 1)
    assert await chain.path(2) == addresses(0, 1, 2)
    # Three stand before it already.
    assert await chain.path(3) == addresses(3)
    assert chain.upstream(3).feeder is None
    assert chain.asked("n2.test", "source") == []
    assert len(chain.asked("origin.test", "source-3.m4s")) == 2


async def test_blocking_reload_goes_through_three_relays(chain: Chain) -> None:
    await chain.add(is_fed_by_relays=False)
    for number in (1, 2):
        await chain.add()
        chain.offer(number - 1)
        await chain.playlist(number)
    query = Reload(4, 0, is_delta=True)
    waiting = [asyncio.create_task(chain.stream(2).media("source", query)) for _ in range(20)]
    await until(lambda: chain.stream(2).waiting == 20)
    await until(lambda: "source.m3u8?_HLS_msn=4&_HLS_part=0" in str(chain.origin.requests))
    chain.origin.publish()
    assert set(await asyncio.gather(*waiting)) == {chain.origin.playlist(is_delta=True)}
    assert await chain.data(2, "source-4.0.m4s") == chain.origin.part(4, 0)
    assert chain.origin.requests.count("source-4.0.m4s") == 1


async def test_circle_that_arises_later_is_left(chain: Chain) -> None:
    await chain.add(is_fed_by_relays=False)
    await chain.add()
    await chain.add()
    chain.offer(1)
    assert await chain.playlist(2) == chain.origin.playlist()
    assert await chain.path(2) == addresses(1, 2)
    # The first comes to be fed by the second, whose path it saw before that was fed by the first.
    chain.network.tamper["n2.test"] = path_of(chain, 2)
    with capture_logs() as logs:
        chain.offer(2)
        await until(lambda: "relay_joined" in events(logs))
        del chain.network.tamper["n2.test"]
        began = len(chain.network.requests)
        await until(lambda: None in (chain.upstream(1).feeder, chain.upstream(2).feeder))
    # Whoever asks first for the other's path leaves: it is there to be read at once.
    asked = [path for _, _, path in chain.network.requests[began:] if path.endswith("/path")]
    assert len(asked) <= 2
    left = [log["reason"] for log in logs if log["event"] == "relay_left"]
    assert {"in a circle" in reason for reason in left} == {True}
    chain.origin.publish(PARTS)
    await asyncio.gather(*(chain.stream(number).media("source", Reload(4)) for number in (1, 2)))
    assert await chain.playlist(1) == await chain.playlist(2) == chain.origin.playlist()
    assert await chain.data(1, "source-4.m4s") == chain.origin.segment(4)
    assert await chain.data(2, "source-4.m4s") == chain.origin.segment(4)


def events(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [log["event"] for log in logs]


def path_of(
    chain: Chain,
    number: int,
    *before: int,
    key: bytes | None = None,
    age_seconds: int = 0,
    pool_id: int = POOL,
) -> Tamper:
    """Let a node answer with a path of our choice."""
    message = RelayPath(
        pool_id, tuple(addresses(*before, number)), int(chain.clock()) - age_seconds
    )
    signature = sign(message.digest(DOMAIN), key or KEYS[number])
    body = api.RelayPath(path=[*message.path], signed_at=message.signed_at, signature=signature)

    def tamper(request: httpx.Request, _: httpx.Response) -> httpx.Response | None:
        is_path = request.url.path.endswith("/path")
        return httpx.Response(200, json=body.dump()) if is_path else None

    return tamper


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"before": (1,)}, "in a circle"),
        ({"before": (2, 3)}, "3 relays are already"),
        ({"key": KEYS[3]}, "signed by"),
        ({"age_seconds": 31}, "31 s old"),
        ({"age_seconds": -31}, "-31 s old"),
        ({"pool_id": POOL + 1}, "signed by"),
    ],
)
async def test_relay_behind_which_none_may_stand_is_refused_and_later_left(
    chain: Chain, fields: dict[str, Any], why: str
) -> None:
    before = fields.pop("before", ())
    await chain.add(is_fed_by_relays=False)
    await chain.add()
    chain.offer(0)
    with capture_logs() as logs:
        # While it is fed from there...
        await chain.playlist(1)
        assert chain.upstream(1).feeder is not None
        chain.network.tamper["n0.test"] = path_of(chain, 0, *before, **fields)
        await until(lambda: chain.upstream(1).feeder is None)
    reasons = [log["reason"] for log in logs if log["event"] == "relay_left"]
    assert [why in reason for reason in reasons] == [True]
    # ... and before it is.
    sessions = len([*chain.nodes[0].store.book])
    chain.upstream(1)._avoided = Avoided()
    asked = len(chain.coordinator.requests)
    await until(lambda: len(chain.coordinator.requests) > asked)
    assert await chain.data(1, "source-3.m4s") == chain.origin.segment(3)
    assert chain.upstream(1).path == ()
    assert len([*chain.nodes[0].store.book]) == sessions


async def test_corrupt_object_ends_the_relay_for_good_and_reaches_nobody(chain: Chain) -> None:
    await chain.add(is_fed_by_relays=False)
    await chain.add()
    chain.offer(0)

    def tamper(request: httpx.Request, answer: httpx.Response) -> httpx.Response | None:
        if not request.url.path.endswith("source-3.m4s"):
            return None
        return httpx.Response(200, content=bytes(len(answer.content)))

    chain.network.tamper["n0.test"] = tamper
    assert await chain.data(1, "source-3.m4s") == chain.origin.segment(3)
    assert chain.upstream(1).feeder is None
    chain.network.tamper.clear()
    asked = len(chain.coordinator.requests)
    await until(lambda: len(chain.coordinator.requests) >= asked + 3)
    assert address_of(KEYS[0]) in chain.coordinator.requests[-1].excluded_nodes
    assert chain.upstream(1).feeder is None


@pytest.mark.parametrize(
    "lie",
    [
        httpx.Response(200, content=bytes(2_000_000)),
        httpx.Response(200, content=b"#EXTM3U\n"),
        httpx.Response(302, headers={"Location": "http://origin.test/"}),
        httpx.Response(200, content=b"", headers={"Content-Encoding": "gzip"}),
        httpx.Response(500),
    ],
)
async def test_relay_with_another_playlist_is_left_and_the_next_one_taken(
    chain: Chain, lie: httpx.Response
) -> None:
    await chain.add(is_fed_by_relays=False)
    await chain.add(is_fed_by_relays=False)
    await chain.add()
    chain.offer(0, 1)
    chain.network.tamper["n0.test"] = lambda request, _: (
        lie if request.url.path.endswith("source.m3u8") else None
    )
    assert await chain.playlist(2) == chain.origin.playlist()
    feeder = chain.upstream(2).feeder
    assert feeder is not None
    assert feeder.node == address_of(KEYS[1])


async def test_relay_that_goes_away_is_replaced_by_the_origin_and_taken_again(
    chain: Chain,
) -> None:
    await chain.add(is_fed_by_relays=False)
    await chain.add()
    chain.offer(0)
    await chain.playlist(1)
    away = chain.network.cut("n0.test")
    chain.origin.publish(PARTS)
    await chain.stream(1).media("source", Reload(4))
    assert await chain.data(1, "source-4.m4s") == chain.origin.segment(4)
    assert chain.upstream(1).path == ()
    assert await chain.path(1) == addresses(1)
    chain.network.nodes["n0.test"] = away
    chain.upstream(1)._avoided = Avoided()
    await until(lambda: chain.upstream(1).feeder is not None)
    assert await chain.path(1) == addresses(0, 1)


async def test_relay_that_wants_a_receipt_first_gets_one(chain: Chain) -> None:
    feeding = await chain.add(is_fed_by_relays=False)
    feeding.relay._credit_bytes = 2500
    await chain.add()
    chain.offer(0)
    for index in range(4):
        assert await chain.data(1, f"source-{index}.m4s") == chain.origin.segment(index)
    assert chain.asked("origin.test", "source-") == [f"source-{index}.m4s" for index in range(4)]
    assert chain.nodes[1].streams.traffic[POOL].origin.objects == 0


async def test_ticket_is_renewed_before_it_ends_and_nothing_is_missed(chain: Chain) -> None:
    chain.coordinator.ticket_seconds = 20
    await chain.add(is_fed_by_relays=False)
    await chain.add()
    chain.offer(0)
    await chain.data(1, "source-0.m4s")
    first = chain.upstream(1).feeder
    chain.upstream(1)._context.time.observe(GENESIS + 25, time.monotonic())
    chain.clock.now = GENESIS + 25.0
    await until(lambda: chain.upstream(1).feeder not in (None, first))
    assert await chain.data(1, "source-1.m4s") == chain.origin.segment(1)
    assert chain.nodes[1].streams.traffic[POOL].origin.objects == 0
    await until(lambda: _paid(chain, 0) == 2000)


async def test_session_that_the_relay_ended_is_followed_by_the_next(chain: Chain) -> None:
    await chain.add(is_fed_by_relays=False)
    await chain.add()
    chain.offer(0)
    await chain.data(1, "source-0.m4s")
    first = chain.upstream(1).feeder
    # The epoch and half of the grace time go by unnoticed: the relay refuses the old session.
    chain.clock.now = GENESIS + 75.0
    assert await chain.data(1, "source-1.m4s") == chain.origin.segment(1)
    assert chain.upstream(1).feeder not in (None, first)
    assert chain.nodes[1].streams.traffic[POOL].origin.objects == 0


async def test_draining_relay_is_left_for_another_without_a_break(chain: Chain) -> None:
    await chain.add(is_fed_by_relays=False)
    await chain.add(is_fed_by_relays=False)
    await chain.add()
    chain.offer(0, 1)
    await chain.playlist(2)

    def drain(_: httpx.Request, answer: httpx.Response) -> None:
        answer.headers[api.DRAINING_HEADER] = "1"

    chain.network.tamper["n0.test"] = drain
    waiting = asyncio.create_task(chain.stream(2).media("source", Reload(4, 0)))
    await until(lambda: chain.stream(2).waiting == 1)
    chain.origin.publish()
    assert await waiting == chain.origin.playlist()
    await until(lambda: chain.upstream(2).path == (address_of(KEYS[1]),))
    assert chain.nodes[2].streams.traffic[POOL].origin.playlists == 0


async def test_what_the_pools_rate_does_not_allow_comes_from_the_origin(chain: Chain) -> None:
    chain.coordinator.pools = [make_pool().model_copy(update={"max_bytes_per_second": 100})]
    await chain.add(is_fed_by_relays=False)
    await chain.add()
    chain.offer(0)
    for index in range(4):
        assert await chain.data(1, f"source-{index}.m4s") == chain.origin.segment(index)
    traffic = chain.nodes[1].streams.traffic[POOL]
    # Ten seconds of slack allow the first thousand bytes.
    assert (traffic.relays.objects, traffic.origin.objects) == (1, 3)
    assert chain.upstream(1).feeder is not None


async def test_relay_that_lacks_what_it_lists_is_left_after_some_objects(chain: Chain) -> None:
    await chain.add(is_fed_by_relays=False)
    await chain.add()
    chain.offer(0)
    chain.network.tamper["n0.test"] = lambda request, _: (
        httpx.Response(404) if request.url.path.endswith(".m4s") else None
    )
    for index in range(3):
        assert chain.upstream(1).feeder is not None or index == 0
        assert await chain.data(1, f"source-{index}.m4s") == chain.origin.segment(index)
    assert chain.upstream(1).feeder is None


def test_object_is_on_time_within_its_duration_and_the_hold_back() -> None:
    vouched = MediaObject("a", 1, Hash(bytes(32)))
    part = Listed(vouched, 0, 500_000, 1_500_000)
    assert [part.is_timely(seconds) for seconds in (0.0, 2.0, 2.01)] == [True, True, False]
    assert Listed(vouched, 0, 0, 1_500_000).is_timely(19.0)


async def test_relay_whose_objects_come_late_is_left_and_paid_half(chain: Chain) -> None:
    await chain.add(is_fed_by_relays=False)
    await chain.add()
    chain.offer(0)
    await chain.playlist(1)
    feeder = chain.upstream(1).feeder
    assert feeder is not None
    for index in range(3):
        listed = await chain.stream(1).find(f"source-{index}.m4s")
        await feeder.object(replace(listed, duration_micros=1, hold_back_micros=0))
    await until(lambda: chain.upstream(1).feeder is not feeder)
    await until(lambda: _paid(chain, 0) == 3000)
    (session,) = chain.nodes[0].store.book
    assert session.newest is not None
    assert session.newest.receipt.bytes_on_time == 0


async def test_path_of_a_pool_that_there_is_not_is_refused(chain: Chain) -> None:
    world = await chain.add(is_fed_by_relays=False)
    for pool in ("99", "x", "-1"):
        assert (await world.http.get(f"/v1/streams/{pool}/path")).status_code == 404
