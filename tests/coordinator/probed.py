"""A stream on the air, a real node behind a front that a test lets misbehave, and a coordinator that probes it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import streamrp2p_coordinator.probing
from streamrp2p.allocation import Terms
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.numbers import Address, Signature
from streamrp2p.settlement import PoolInput
from streamrp2p.typed_data import NodeRegistration
from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.migrate import migrate
from streamrp2p_coordinator.network import Network, Policy, Signer
from streamrp2p_coordinator.probing.routes import routes
from streamrp2p_coordinator.repositories.pools import KnownPool
from streamrp2p_coordinator.repositories.probes import StoredProbe
from streamrp2p_coordinator.use_cases.measure_streams import measure_streams
from streamrp2p_coordinator.use_cases.probe_node import probe_node
from tests.node.fakes import (
    DOMAIN,
    NODE,
    NODE_KEY,
    ORIGIN_KEY,
    OTHER,
    POOL,
    SIGNER_KEY,
    FakeCoordinator,
    make_pool,
)
from tests.node.servers import NodeProcess, coordinator_answers, serving, wait_for
from tests.support.loopback import http_server
from tests.support.origin import RunningOrigin, encoding, give_origin_key, running_origin

SITE = "https://watch.example"
WATCH_SECONDS = 5.0
EPOCH_SECONDS = 3600
RECORDED = json.loads(files(streamrp2p_coordinator.probing).joinpath("chromium.json").read_text())
"""What Chromium sent."""


class Brief(Random):
    """Chance that lets nobody watch for long."""

    def lognormvariate(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return WATCH_SECONDS


@dataclass
class Request:
    """A request as it came, its headers in their order."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    at: float


def kind_of(request: Request) -> str:
    if request.method == "OPTIONS":
        return "preflightOfReceipts" if request.path == "/v1/receipts" else "preflight"
    posts = {"/v1/sessions": "open", "/v1/receipts": "receipt"}
    return "get" if request.method == "GET" else posts[request.path]


@dataclass
class Front:
    """What viewers of the node speak to. `mode`: honest, corrupt, silent or slow."""

    upstream: str
    mode: str = "honest"
    requests: list[Request] = field(default_factory=list)

    def spoiled(self, path: str, body: bytes) -> bytes:
        if not path.endswith((".m4s", ".mp4")) or not body:
            return body
        if self.mode == "slow":
            # A part lasts half a second.
            time.sleep(1.2)
        if self.mode == "corrupt":
            return body[:-1] + bytes([body[-1] ^ 1])
        return body

    def handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                headers = list(self.headers.items())
                front.requests.append(Request(self.command, self.path, headers, time.monotonic()))
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if front.mode == "silent":
                    self.close_connection = True
                    return
                host = urlsplit(front.upstream).netloc
                connection = HTTPConnection(host, timeout=15)
                try:
                    connection.request(self.command, self.path, body or None, dict(headers))
                    response = connection.getresponse()
                    data = response.read()
                    if self.command == "GET":
                        data = front.spoiled(self.path, data)
                    self.send_response_only(response.status)
                    for name, value in response.getheaders():
                        if name.lower() not in ("connection", "content-length"):
                            self.send_header(name, value)
                    if response.status != 204:
                        self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except (OSError, HTTPException):
                    self.close_connection = True
                finally:
                    connection.close()

            do_GET = do_POST = do_OPTIONS = answer  # noqa: N815 - the names that the server looks for

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@dataclass
class Probed:
    """All of it."""

    origin: RunningOrigin
    front: Front
    node: NodeProcess
    nodes_coordinator: FakeCoordinator
    database: Database
    network: Network

    def probe(self, proxies: tuple[str, ...] = ()) -> StoredProbe | None:
        """Send one probe through the first proxy, if any, and wait for it."""
        return probe_node(
            database=self.database,
            network=self.network,
            policy=Policy(),
            ticket_signer=Signer.of(SIGNER_KEY),
            clock=lambda: int(time.time()),
            route=routes(proxies, allow_local_networks=True)[0],
            site=SITE,
            median_seconds=WATCH_SECONDS,
            chance=Brief(7),
        )

    def measure(self) -> int | None:
        """Measure the streams; the rate of the one there is."""
        measure_streams(
            database=self.database,
            network=self.network,
            clock=lambda: int(time.time()),
            route=routes((), allow_local_networks=True)[0],
        )
        with self.database.read() as store:
            return store.probes.rate(POOL, 0)


@contextmanager
def probed(folder: Path) -> Iterator[Probed]:
    """Put a stream on the air, start the node, and let the coordinator know both."""
    genesis = int(time.time()) - 15
    (folder / "origin").mkdir()
    give_origin_key(folder / "origin", ORIGIN_KEY)
    coordinator = FakeCoordinator(time.time, genesis=genesis, epoch_seconds=EPOCH_SECONDS)
    with (
        serving(coordinator_answers(coordinator)) as coordinator_url,
        running_origin(folder / "origin", coordinator_url, "--ladder", "source") as origin,
        encoding(origin.rtmp, seconds=600),
    ):
        coordinator.pools = [make_pool(origin.url)]
        node = NodeProcess(folder / "node", coordinator_url, key=NODE_KEY)
        node.prepare()
        node.start()
        try:
            wait_for(lambda: origin.playlist().count("#EXTINF") > 2, origin.log)
            front = Front(node.url)
            with http_server(front.handler()) as url:
                network = Network(
                    DOMAIN, EpochClock(genesis, EPOCH_SECONDS, 20), 50,
                    Address(bytes(20)), Address(bytes(20)),
                )  # fmt: skip
                database = open_database(f"sqlite:///{folder / 'coordinator.db'}")
                migrate(database)
                _fill(database, origin.url, url)
                yield Probed(origin, front, node, coordinator, database, network)
                database.close()
        finally:
            node.stop()


def _fill(database: Database, origin_url: str, endpoint: str) -> None:
    pool = make_pool(origin_url)
    terms = pool.terms
    assert terms is not None
    with database.write() as store:
        store.pools.keep(
            [
                KnownPool(
                    POOL, Address(pool.streamer), Address(pool.token), Address(pool.origin_key),
                    origin_url, pool.max_bytes_per_second, 0, None, 10**20,
                )
            ]
        )  # fmt: skip
        signer = Address(terms.ticket_signer)
        inputs = [PoolInput(POOL, Terms(10**18, 10**18, signer), 10**20)]
        store.pools.keep_inputs(0, inputs, is_fixed=True, is_over=False)
        registration = NodeRegistration(NODE, OTHER, endpoint, 0, 1 << 40)
        store.nodes.register(registration, Signature(bytes(65)), None)
        store.nodes.mark_health([(NODE, endpoint, True, None)], int(time.time()))
