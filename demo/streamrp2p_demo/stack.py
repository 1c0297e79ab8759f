"""What is started, with which options, and how each is known to be ready. The order is the run's."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
from web3 import Web3

from streamrp2p.chain import ChainError, Stream, connect
from streamrp2p.client import CoordinatorClient
from streamrp2p.http_api import ApiError, UnreachableError
from streamrp2p.keys import create_keystore
from streamrp2p.node_client import NodeClient
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p_demo.adversaries import corrupting_proxy, inflating_poster
from streamrp2p_demo.anvil import CHAIN_ID, anvil_command, known_key
from streamrp2p_demo.child import Child
from streamrp2p_demo.commands import Commands
from streamrp2p_demo.errors import NotReadyError
from streamrp2p_demo.layout import RELAYS, Layout, Ports, loopback
from streamrp2p_demo.market import (
    MAX_BYTES_PER_SECOND,
    PAYOUT,
    POSTER,
    WATCHER,
    Grid,
    Market,
    deploy_contracts,
    give_gas_money,
    let_time_mine,
    open_pool,
)
from streamrp2p_demo.processes import Supervisor
from streamrp2p_demo.progress import Progress

Found = TypeVar("Found")

READY_SECONDS = 45.0
"""Far more than anything takes on an idle machine; a busy one has two cores for twenty processes."""
POLL_SECONDS = 0.15
RENDITION = "source"
"""The stream as the encoder sends it."""
FIRST_SEGMENTS = 3
"""How many segments the origin must have before viewers come."""
HONEST_OBJECTS = 24
"""How many objects pass the corrupting relay unharmed."""
INFLATING_POSTER = "inflating-poster"
"""What the coordinator that lies names its report."""
PAID_ELSEWHERE = "relay-2"
"""Which relay has its claims paid to another wallet, as an operator with a cold one would."""


@dataclass(slots=True)
class Relay:
    """One relay: `endpoint` is what it registers, which for the corrupting one is the proxy's."""

    name: str
    node: Address
    port: int
    endpoint: str
    payout: Address | None = None
    """Where its claims are paid; None: to its own account."""
    child: Child | None = None


@dataclass(slots=True)
class Stack:
    """The running system. Each method starts one part and returns when it is ready."""

    supervisor: Supervisor
    layout: Layout
    ports: Ports
    grid: Grid
    progress: Progress
    password: str
    max_bytes_per_second: int = MAX_BYTES_PER_SECOND
    """What the pool credits each viewer with."""
    relays: list[Relay] = field(default_factory=list)
    origin_key: Address = field(default=Address(b""))
    on_wait: Callable[[], None] = field(default=lambda: None)
    """Called again and again while the run waits for something."""
    when: Callable[[], str] = field(default=lambda: "")
    """Says, for the status line, where in the epochs the run is."""

    @property
    def commands(self) -> Commands:
        """The run's command lines."""
        return Commands(self.layout, self.ports)

    @property
    def corrupting(self) -> Relay:
        """The relay behind the corrupting proxy: the last."""
        return self.relays[-1]

    def make_keys(self) -> None:
        """Make the origin's keys and the relays' own keystores, through the command line as operators do."""
        names = [f"relay-{number}" for number in range(1, RELAYS + 1)]
        commands = {f"init-{name}": self.commands.init_relay(name) for name in names}
        commands["init-origin"] = self.commands.init_origin()
        made = {
            name: json.loads(output) for name, output in self.supervisor.run_all(commands).items()
        }
        self.origin_key = _address(made["init-origin"]["address"])
        for name, port in zip(names, self.ports.relays, strict=True):
            public = self.ports.proxy if name == names[-1] else port
            payout = address_of(known_key(PAYOUT)) if name == PAID_ELSEWHERE else None
            node = _address(made[f"init-{name}"]["node"])
            self.relays.append(Relay(name, node, port, loopback(public), payout))

    def start_chain(self) -> Web3:
        """Start anvil."""
        self.supervisor.start("anvil", anvil_command(self.ports.anvil))

        def reached() -> Web3 | None:
            try:
                return connect(self.commands.rpc, CHAIN_ID)
            except ChainError:
                return None

        return self.wait_for("anvil", reached)

    def open_market(self, web3: Web3) -> Market:
        """Deploy the contracts, fund the pool and give the relays gas money; then time mines."""
        create_keystore(self.layout.poster_keystore, self.password, known_key(POSTER))
        ticket_signer = create_keystore(self.layout.ticket_signer_keystore, self.password)
        give_gas_money(web3, [relay.node for relay in self.relays])
        deployment = deploy_contracts(web3, self.grid)
        deployment.save(self.layout.deployment)
        stream = Stream(self.origin_key, self.max_bytes_per_second, loopback(self.ports.origin))
        market = open_pool(web3, deployment, stream, ticket_signer)
        let_time_mine(web3)
        return market

    def start_coordinator(self, *, lies: bool = False) -> CoordinatorClient:
        """Start the coordinator with its embedded database; with `lies`, the one that posts a wrong header once."""
        self.layout.coordinator_config.write_text(self.commands.coordinator_config(self.grid))
        command = self.commands.coordinator()
        if lies:
            command = inflating_poster.command(
                self.layout.coordinator_config, self.layout.report(INFLATING_POSTER)
            )
        self.supervisor.start("coordinator", command)
        client = CoordinatorClient(self.commands.coordinator_url)
        self.wait_for("the coordinator", lambda: client.ready() or None)
        return client

    def start_watcher(self) -> None:
        """Start the watchman, with a key that has ether for challenges."""
        create_keystore(self.layout.watcher_keystore, self.password, known_key(WATCHER))
        self.supervisor.start("watchman", self.commands.watcher())

    def start_origin(self, pool_id: int) -> None:
        """Start the origin; it has no stream yet. `start_encoder` waits until it is ready."""
        self.supervisor.start("origin", self.commands.origin(pool_id))

    def start_encoder(self, pool_id: int) -> None:
        """Start a real encoder that pushes RTMP; return when the origin serves its first segments."""
        self._wait_for_health("the origin", loopback(self.ports.origin))
        self.supervisor.start("encoder", self.commands.encoder())

        def has_segments() -> bool | None:
            with NodeClient(loopback(self.ports.origin)) as origin:
                try:
                    playlist = origin.media_playlist(pool_id, RENDITION).data
                except (ApiError, UnreachableError):
                    return None
            return playlist.count(b"\n#EXTINF:") >= FIRST_SEGMENTS or None

        self.wait_for("the origin's first segments", has_segments)

    def start_proxy(self) -> None:
        """Start the public face of the corrupting relay."""
        self.supervisor.start(
            "corrupting-proxy",
            corrupting_proxy.command(
                self.ports.proxy,
                loopback(self.corrupting.port),
                self.layout.report("corrupting-proxy"),
                honest_objects=HONEST_OBJECTS,
            ),
        )

    def start_relay(self, relay: Relay) -> None:
        """Start a relay, for the first time or again; `wait_for_relays` tells when it is ready."""
        command = self.commands.relay(relay.name, relay.port, relay.endpoint, relay.payout)
        relay.child = self.supervisor.start(relay.name, command)

    def wait_for_relays(self, coordinator: CoordinatorClient) -> None:
        """Wait until the coordinator sends viewers to every relay."""

        def all_are_healthy() -> bool | None:
            known = {node.node for node in coordinator.nodes() if node.is_healthy}
            return all(relay.node in known for relay in self.relays) or None

        self.wait_for("the relays", all_are_healthy)

    def wait_for_relay(self, relay: Relay) -> None:
        """Wait until one relay answers."""
        self._wait_for_health(relay.name, loopback(relay.port))

    def start_viewer(self, name: str, pool_id: int, seconds: int) -> Child:
        """Start an honest viewer that watches for some seconds, then reports."""
        command = self.commands.viewer(name, pool_id, seconds)
        return self.supervisor.start(name, command, may_end=True)

    def wait_for(
        self, what: str, found: Callable[[], Found | None], timeout_seconds: float = READY_SECONDS
    ) -> Found:
        """Poll until `found` returns something; raises NotReadyError, or ProcessDiedError if a server ends."""
        deadline = time.monotonic() + timeout_seconds
        while (result := found()) is None:
            self.supervisor.check()
            self.on_wait()
            if time.monotonic() > deadline:
                raise NotReadyError(f"waited {timeout_seconds:.0f} s for {what} in vain")
            self.progress.now(f"{self.when()}waiting for {what}")
            time.sleep(POLL_SECONDS)
        return result

    def _wait_for_health(self, what: str, url: str) -> None:
        def is_healthy() -> bool | None:
            try:
                return httpx.get(f"{url}/healthz", timeout=2).is_success or None
            except httpx.HTTPError:
                return None

        self.wait_for(what, is_healthy)


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text.removeprefix("0x")))
