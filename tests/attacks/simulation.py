"""A real coordinator's application and database, with nodes and viewers that live through epochs of simulated time."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import patch

import httpx
from sqlalchemy import event
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from streamrp2p import api
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.verify import Code
from streamrp2p_coordinator import services
from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.jobs import run_epochs, run_health
from streamrp2p_coordinator.migrate import migrate
from tests.attacks.chance import seeded
from tests.attacks.parties import Claim, Node, Viewer, steadily
from tests.coordinator import actors
from tests.coordinator.actors import known_key
from tests.coordinator.world import GENESIS, World, make_world

POOL = 2
OTHER_POOL = 1
TOKEN_WEI = 10**18
PRICE_PER_GB_WEI = TOKEN_WEI
STREAM_BYTES_PER_SECOND = 312_500
"""2.5 Mbit/s."""
MAX_BYTES_PER_SECOND = 2_000_000
"""What the pool's stream record says: its streamer left room for a better picture."""
EPOCHS = EpochClock(GENESIS, 600, 60)
WATCHING = steadily(STREAM_BYTES_PER_SECOND)
PROXY = ("127.0.0.1", 50_000)
"""The coordinator's own web server, which names the viewer's address in a header."""


@dataclass
class Refusals:
    """What became of the records of some nodes."""

    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    first_at: dict[str, int] = field(default_factory=dict)
    """When each code was given first."""
    acknowledged_before: int = 0
    """Records that were acknowledged before the first refusal."""
    examples: list[api.SignedRejection] = field(default_factory=list)

    def merge(self, other: "Refusals") -> None:
        """Count another node's records with these."""
        self.acknowledged += other.acknowledged
        self.refused += other.refused
        self.acknowledged_before += other.acknowledged_before
        for name, first_at in other.first_at.items():
            self.first_at[name] = min(self.first_at.get(name, first_at), first_at)
        self.examples += other.examples

    def add(self, answer: api.BatchAnswer, now: int) -> None:
        if not self.refused:
            self.acknowledged_before += answer.ack.accepted
        self.acknowledged += answer.ack.accepted
        for rejection in answer.rejections:
            name = Code(rejection.rejection.code).name
            self.refused[name] += 1
            self.first_at[name] = min(self.first_at.get(name, now), now)
            self.examples.append(rejection)


@dataclass
class Simulation:
    """Everything that happens in one run."""

    world: World
    http: httpx.AsyncClient
    loop: asyncio.Runner
    chance: Random
    step_seconds: int
    with_policy: bool
    nodes: list[Node] = field(default_factory=list)
    viewers: list[Viewer] = field(default_factory=list)
    acts: list[Callable[["Simulation"], None]] = field(default_factory=list)
    """What an attacker does beside watching and serving, once a step."""
    refusals: dict[Address, Refusals] = field(default_factory=lambda: defaultdict(Refusals))
    sent_bytes: Counter[Address] = field(default_factory=Counter)
    tickets: Counter[Address] = field(default_factory=Counter)
    handed_in: dict[Address, list[SessionRecord]] = field(default_factory=lambda: defaultdict(list))
    """Each node's records of this step, which whoever listens may have."""
    suspected: dict[Address, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The codes that were held against each node at some time."""

    @property
    def now(self) -> int:
        return self.world.clock.now

    def add_node(self, host: str, *, is_honest: bool = True, payout: Address | None = None) -> Node:
        """Register a node from its own address."""
        actor = actors.Node(known_key(10_000 + len(self.nodes)), self.world.domain)
        node = Node(actor, host, payout or actor.address, is_honest)
        self.nodes.append(node)
        registration = actor.registration(endpoint=node.endpoint, payout=node.payout)
        self.post("/v1/nodes", registration, host).raise_for_status()
        return node

    def add_viewer(
        self,
        host: str | None,
        *,
        is_honest: bool = True,
        claims: Claim = WATCHING,
    ) -> Viewer:
        """Let somebody watch who asks from an address; None: the proxy does not say from which."""
        key = known_key(20_000 + len(self.viewers))
        viewer = Viewer(key, host, is_honest, claims)
        self.viewers.append(viewer)
        return viewer

    def run(self, epochs: int) -> None:
        """Live through whole epochs, until the last one is settled."""
        run_health(self.world.services)
        end = EPOCHS.start(EPOCHS.at(self.now) + epochs)
        while self.now < end:
            self._step()
        self.world.travel_to(EPOCHS.intake_end(EPOCHS.at(self.now) - 1))
        self._jobs()

    def post(self, path: str, body: api.Wire, host: str | None) -> httpx.Response:
        """Send a request from an address."""
        headers = {"Content-Type": "application/json"}
        # Without the policy nobody asks where viewers are.
        if host is not None and self.with_policy:
            headers["X-Forwarded-For"] = host
        content = body.model_dump_json(by_alias=True).encode()
        return self.loop.run(self.http.post(path, content=content, headers=headers))

    def get(self, path: str) -> httpx.Response:
        return self.loop.run(self.http.get(path)).raise_for_status()

    def hand_in(self, node: Node, epoch: int, records: list[SessionRecord]) -> Refusals:
        """Send records in batches, and keep count of the answers; what came of them alone."""
        most = self.world.services.policy.max_batch_records
        found = Refusals()
        for first in range(0, len(records), most):
            batch = node.actor.batch(epoch, records[first : first + most])
            response = self.post("/v1/batches", batch, node.host).raise_for_status()
            answer = api.BatchAnswer.model_validate_json(response.content)
            for kept in (self.refusals[node.address], found):
                kept.add(answer, self.now)
        return found

    def earned(self, node: Node) -> int:
        """Return what a node's settled epochs pay it, in base units of the token."""
        answer = self.get(f"/v1/accounts/0x{node.address.hex()}/earnings")
        earnings = api.Earnings.model_validate_json(answer.content)
        return sum(pool.settled for pool in earnings.pools)

    def address_if_up(self, endpoint: str) -> str | None:
        """Return the address of the machine at an endpoint; None while a node there is down."""
        there = [node for node in self.nodes if node.endpoint == endpoint]
        return there[0].host if all(node.is_up for node in there) else None

    def _step(self) -> None:
        """Let time pass: sign for it, go on with a new ticket where one is due, hand in, act, run the jobs."""
        for viewer in self.viewers:
            if viewer.session is None and viewer.joins_at <= self.now:
                self._admit(viewer)
        self.world.travel_to(self.now + self.step_seconds)
        for viewer in self.viewers:
            self._sign(viewer)
        self.handed_in.clear()
        for node in self.nodes:
            if node.is_up:
                self._empty(node)
        for act in self.acts:
            act(self)
        self._jobs()

    def _jobs(self) -> None:
        run_health(self.world.services)
        run_epochs(self.world.services)
        self.world.chain.mine()
        assert self.world.services.failures == {}
        with self.world.database.read() as store:
            for stored in store.suspicions.open(self.now):
                self.suspected[stored.suspicion.node].add(stored.suspicion.code.name)

    def _admit(self, viewer: Viewer) -> None:
        by_address = {node.address: node for node in self.nodes}
        avoided: list[Address] = []
        for _ in range(viewer.patience):
            asked = api.SessionRequest(
                pool_id=POOL,
                viewer=viewer.address,
                excluded_nodes=list(dict.fromkeys([*viewer.excludes(self.nodes), *avoided])),
            )
            response = self.post("/v1/sessions", asked, viewer.host)
            if response.status_code != httpx.codes.OK:
                return
            answer = api.Session.model_validate_json(response.content)
            node = by_address[Address(answer.ticket.node)]
            self.tickets[node.address] += 1
            if not (node.is_up and node.serves(viewer)):
                avoided.append(node.address)
            elif viewer.takes(node):
                viewer.open(answer, node, self.world.domain)
                return

    def _sign(self, viewer: Viewer) -> None:
        session = viewer.session
        if session is None:
            return
        ticket, node = session.ticket, session.node
        if not node.is_up:
            viewer.session = None
            return
        session.sequence += 1
        delivered = min(viewer.claims(ticket, self.now), ticket.max_bytes)
        signed_at = min(self.now, ticket.expires_at) + viewer.skew_seconds
        node.outbox.append(session.viewed.record(session.sequence, delivered, signed_at=signed_at))
        if viewer.is_sent:
            self.sent_bytes[node.address] += delivered - session.delivered
        session.delivered = delivered
        if self.now >= ticket.expires_at:
            viewer.session = None

    def _empty(self, node: Node) -> None:
        by_epoch: dict[int, list[SessionRecord]] = defaultdict(list)
        for record in node.outbox:
            by_epoch[record.ticket.epoch].append(record)
        self.handed_in[node.address], node.outbox = node.outbox, []
        for epoch, records in sorted(by_epoch.items()):
            self.hand_in(node, epoch, records)


@contextmanager
def simulated(
    *, seed: int, epoch_budget_wei: int, step_seconds: int, with_policy: bool
) -> Iterator[Simulation]:
    """Start a coordinator in epoch 1 with a pool that pays up to a budget in each epoch."""
    with (
        seeded(seed) as chance,
        # In the time that it simulates, no two requests come within one second.
        patch.object(services, "REFRESH_SECONDS", 0),
        asyncio.Runner() as loop,
        _opened() as (database, folder),
    ):
        world = _world(database, folder, epoch_budget_wei)
        app = ProxyHeadersMiddleware(world.app, PROXY[0])  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app, client=PROXY)  # type: ignore[arg-type]
        http = httpx.AsyncClient(transport=transport, base_url="http://coordinator")
        simulation = Simulation(world, http, loop, chance, step_seconds, with_policy)
        world.services.probe = simulation.address_if_up
        try:
            yield simulation
        finally:
            loop.run(http.aclose())


@contextmanager
def _opened() -> Iterator[tuple[Database, Path]]:
    with TemporaryDirectory(prefix="attack-") as name:
        database = open_database(f"sqlite:///{name}/coordinator.db")
        # No power fails here, and each answer would wait for the disk.
        event.listen(database.engine, "connect", _without_fsync)
        migrate(database)
        yield database, Path(name)
        database.close()


def _without_fsync(connection: object, _: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]


def _world(database: Database, folder: Path, epoch_budget_wei: int) -> World:
    world = make_world(database, folder, EPOCHS)
    world.chain.add_pool(
        POOL,
        world.services.ticket_signer.address,
        max_bytes_per_second=MAX_BYTES_PER_SECOND,
        price_per_gb=PRICE_PER_GB_WEI,
        epoch_budget=epoch_budget_wei,
    )
    world.travel_to(EPOCHS.start(1))
    world.sync()
    run_epochs(world.services)
    return world
