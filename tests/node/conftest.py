"""A node in one process, without sockets: the real relay, store and submitter between fake neighbours."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from streamrp2p import api
from streamrp2p.client import CoordinatorClient
from streamrp2p.numbers import Hash
from streamrp2p.signatures import address_of
from streamrp2p.traces import NO_TRACES, Traces
from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.doors import Doors
from streamrp2p_node.drain import Drain
from streamrp2p_node.folder import Folder
from streamrp2p_node.identity import prove_identity
from streamrp2p_node.live_stream import LiveStream
from streamrp2p_node.month import Month
from streamrp2p_node.outbox import Outbox
from streamrp2p_node.own_path import OwnPath
from streamrp2p_node.place import Place, port_of
from streamrp2p_node.presence import Presence
from streamrp2p_node.relay import Relay
from streamrp2p_node.rendition import Timing
from streamrp2p_node.routes import make_app
from streamrp2p_node.schedule import Schedule
from streamrp2p_node.segment_cache import SegmentCache
from streamrp2p_node.settings import Settings
from streamrp2p_node.status import Reporter
from streamrp2p_node.store import Store
from streamrp2p_node.streams import Streams
from streamrp2p_node.submitter import Submitter
from streamrp2p_node.upstream import make_client
from streamrp2p_node.upstream_tickets import TicketDesk
from streamrp2p_node.upstreams import Upstreams
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import ENDPOINT, NODE_KEY, Clock, FakeCoordinator

CREDIT_BYTES = 2500


@dataclass(slots=True)
class World:
    """A node and its neighbours."""

    clock: Clock
    coordinator: FakeCoordinator
    origin: FakeOrigin
    folder: Folder
    settings: Settings
    client: CoordinatorClient
    view: CoordinatorView
    store: Store
    cache: SegmentCache
    streams: Streams
    relay: Relay
    submitter: Submitter
    presence: Presence
    doors: Doors
    http: httpx.AsyncClient


def somewhere(host: str, port: int, endpoint: str | None) -> Place:
    """Return a place in a network, without asking the system."""
    return Place(host, port, port_of(endpoint or ENDPOINT), "192.168.1.20")


async def make_world(
    folder: Folder, *, coordinator: FakeCoordinator, origin: FakeOrigin, clock: Clock,
    cache_bytes: int = 100_000, prefetches: bool = False, key: bytes = NODE_KEY,
    endpoint: str = ENDPOINT, network: httpx.AsyncBaseTransport | None = None,
    is_fed_by_relays: bool = False, credit_bytes: int = CREDIT_BYTES,
    max_month_bytes: int | None = None, schedule: Schedule | None = None,
    local_time: Callable[[], datetime] = lambda: datetime.now(UTC), traces: Traces = NO_TRACES,
) -> World:  # fmt: skip
    """Make a node. `network` leads to its upstreams, by default to the origin alone."""
    folder.make()
    node = address_of(key)
    settings = Settings(
        folder.root,
        "http://coordinator.test",
        endpoint,
        cache_bytes=cache_bytes,
        credit_bytes=credit_bytes,
    )
    client = CoordinatorClient(
        settings.coordinator_url, transport=httpx.MockTransport(coordinator), attempts=1
    )
    view = CoordinatorView(client, folder.coordinator, clock, monotonic=clock)
    store = Store(folder.journals)
    cache = SegmentCache(folder.cache, max_bytes=cache_bytes, memory_bytes=cache_bytes)
    upstreams = Upstreams(
        make_client(network or httpx.MockTransport(origin)),
        view,
        TicketDesk(client, node) if is_fed_by_relays else None,
        time.monotonic,
        traces,
    )
    streams = Streams(
        lambda source, traffic: LiveStream(
            source,
            upstream=upstreams.of(source, traffic),
            cache=cache,
            timing=Timing(0.3, time.monotonic),
            prefetches=prefetches,
        )
    )
    doors = Doors(
        drain=Drain(time.monotonic),
        month=Month(folder.month, clock),
        max_month_bytes=max_month_bytes,
        schedule=schedule,
        local_time=local_time,
    )
    relay = Relay(
        node=node,
        store=store,
        view=view,
        streams=streams,
        doors=doors,
        credit_bytes=credit_bytes,
        max_sessions=50,
    )
    submitter = Submitter(
        client=client,
        view=view,
        book=store.book,
        outbox=Outbox(folder.batches),
        node=node,
        key=key,
        traces=traces,
    )
    presence = Presence(settings, client, view, node, key, find_place=somewhere)
    reporter = Reporter(
        settings, node, int(clock()), view, store, relay, streams, submitter, cache, presence, doors
    )

    def prove(nonce: Hash) -> api.SignedIdentity:
        relay.require_ready()
        return prove_identity(nonce, key=key, node=node, domain=view.domain, now=int(clock()))

    path = OwnPath(node, view, streams, key)
    app = make_app(
        relay, path=path.of, status=lambda: reporter.report().dump(), prove=prove, traces=traces
    )
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=endpoint)
    return World(
        clock,
        coordinator,
        origin,
        folder,
        settings,
        client,
        view,
        store,
        cache,
        streams,
        relay,
        submitter,
        presence,
        doors,
        http,
    )


async def close_world(made: World) -> None:
    await made.http.aclose()
    await made.streams.close()
    made.client.close()
    made.store.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = Clock()
    made = await make_world(
        Folder(tmp_path / "node"),
        coordinator=FakeCoordinator(clock),
        origin=FakeOrigin(),
        clock=clock,
    )
    await made.view.refresh()
    yield made
    await close_world(made)
