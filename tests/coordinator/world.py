"""A coordinator with its parts at hand: the clock is told, requests go straight into the application."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI

from streamrp2p import api
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, SessionTicket
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.jobs import run_epochs, run_health
from streamrp2p_coordinator.leadership import Leadership
from streamrp2p_coordinator.network import Network, Policy, Signer
from streamrp2p_coordinator.outside.connections import unanswered
from streamrp2p_coordinator.outside.steps import passed
from streamrp2p_coordinator.services import Services
from streamrp2p_coordinator.use_cases.sync_headers import sync_headers
from streamrp2p_coordinator.use_cases.sync_pools import sync_pools
from streamrp2p_coordinator.web.app import make_app
from tests.coordinator.actors import Node, Viewer, known_key
from tests.coordinator.memory_chain import BOOK, MemoryChain

GENESIS = 1_000_000
EPOCH_SECONDS = 100
GRACE_SECONDS = 20
CHALLENGE_SECONDS = 50
EPOCHS = EpochClock(GENESIS, EPOCH_SECONDS, GRACE_SECONDS)
POSTER_KEY, TICKET_KEY, NODE_KEY, VIEWER_KEY = (known_key(number) for number in (1, 2, 3, 100))


@dataclass
class Told:
    """A clock that is told the time."""

    now: int

    def __call__(self) -> int:
        return self.now


@dataclass
class World:
    """One coordinator over a chain in memory."""

    services: Services
    chain: MemoryChain
    clock: Told

    @cached_property
    def app(self) -> FastAPI:
        return make_app(self.services)

    @property
    def domain(self) -> Domain:
        return self.services.network.domain

    @property
    def database(self) -> Database:
        return self.services.database

    def travel_to(self, now: int) -> None:
        """Let clock and chain show a time."""
        self.clock.now = self.chain.now = now

    def tick(self) -> None:
        """Run what the scheduler runs, then mine."""
        run_epochs(self.services)
        self.chain.mine()

    def sync(self) -> None:
        sync_pools(
            database=self.services.database,
            chain=self.chain,
            network=self.services.network,
            clock=self.clock,
        )
        sync_headers(database=self.services.database, chain=self.chain)

    def request(
        self,
        method: str,
        path: str,
        body: api.Wire | None = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request."""
        if body is not None:
            content = body.model_dump_json(by_alias=True).encode()
        return asyncio.run(self._request(method, path, content, dict(headers or {})))

    async def _request(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://coordinator") as client:
            headers.setdefault("Content-Type", "application/json")
            return await client.request(method, path, content=content, headers=headers)

    def post(self, path: str, body: api.Wire) -> Any:  # noqa: ANN401 - JSON
        """Send a request that must succeed; its JSON."""
        answer = self.request("POST", path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        answer = self.request("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def node(self, key: bytes = NODE_KEY, **registration: Any) -> Node:  # noqa: ANN401 - see Node
        """Make a node and register it."""
        node = Node(key, self.domain)
        self.post("/v1/nodes", node.registration(**registration))
        run_health(self.services)
        return node

    def viewer(
        self,
        node: Address,
        *,
        pool_id: int = 1,
        epoch: int | None = None,
        nonce: int = 0,
        max_bytes: int = 10**9,
        issued_at: int | None = None,
        seconds: int = 60,
        ticket_key: bytes = TICKET_KEY,
        key: bytes = VIEWER_KEY,
    ) -> Viewer:
        """Admit a viewer with a ticket of one's own making."""
        now = self.clock.now if issued_at is None else issued_at
        ticket = SessionTicket(
            pool_id,
            self.services.network.epochs.at(self.clock.now) if epoch is None else epoch,
            node,
            address_of(key),
            max_bytes,
            now,
            now + seconds,
            nonce,
        )
        return Viewer(ticket, sign(ticket.digest(self.domain), ticket_key), self.domain, key)

    def submit(self, batch: api.Batch) -> api.BatchAnswer:
        answer = self.request("POST", "/v1/batches", batch)
        assert answer.status_code == 200, answer.text
        return api.BatchAnswer.model_validate_json(answer.content)


def make_world(database: Database, folder: Path, epochs: EpochClock = EPOCHS) -> World:
    """Make a coordinator in the middle of epoch 1, with one pool on its chain."""
    poster, ticket_signer = Signer.of(POSTER_KEY), Signer.of(TICKET_KEY)
    clock = Told(epochs.start(1) + 30)
    chain = MemoryChain(clock.now, poster.address)
    chain.add_pool(1, ticket_signer.address)
    network = Network(
        domain=Domain(31337, BOOK),
        epochs=epochs,
        challenge_seconds=CHALLENGE_SECONDS,
        reward_pools=Address(b"\x0e" * 20),
        node_registry=Address(b"\x0f" * 20),
    )
    services = Services(
        database=database,
        leadership=Leadership(database, clock),
        chain=chain,
        network=network,
        policy=Policy(max_batch_records=50),
        bundles=Bundles(folder / "bundles"),
        poster=poster,
        ticket_signer=ticket_signer,
        look=lambda node, endpoint: (
            [unanswered("203.0.113.7", 80).step("tcp")]
            if "down" in endpoint
            else [passed("tcp", "a test says so")]
        ),
        clock=clock,
        probe=lambda endpoint: None if "down" in endpoint else urlsplit(endpoint).hostname,
    )
    world = World(services, chain, clock)
    world.sync()
    return world
