"""What is started, with which options, and how each is known to be ready. The order is the run's."""

import json
import sys
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
from streamrp2p.node_client import PLAYLIST_NAME, NodeClient
from streamrp2p.numbers import Address
from streamrp2p.playlist import SEGMENT_TAG
from streamrp2p.signatures import address_of
from streamrp2p_demo.adversaries import corrupting_proxy
from streamrp2p_demo.anvil import CHAIN_ID, anvil_command, known_key
from streamrp2p_demo.errors import NotReadyError
from streamrp2p_demo.layout import RELAYS, Layout, Ports, loopback
from streamrp2p_demo.market import (
    MAX_BYTES_PER_SECOND,
    PAYOUT,
    POSTER,
    Grid,
    Market,
    deploy_contracts,
    give_gas_money,
    let_time_mine,
    open_pool,
)
from streamrp2p_demo.processes import Child, Supervisor
from streamrp2p_demo.progress import Progress

Found = TypeVar("Found")

READY_SECONDS = 45.0
"""Far more than anything takes on an idle machine; a busy one has two cores for twenty processes."""
POLL_SECONDS = 0.15
RATE_SLACK_SECONDS = 6
SUBMIT_SECONDS = 2
VIDEO_KBIT = 250
SEGMENT_SECONDS = 1
FIRST_SEGMENTS = 3
"""How many segments the origin must have before viewers come."""
HONEST_SEGMENTS = 24
"""How many segments pass the corrupting relay unharmed."""
PAID_ELSEWHERE = "relay-2"
"""Which relay has its claims paid to another wallet, as an operator with a cold one would."""
ENCODER_SECONDS = 1_800
"""Longer than any run: the encoder is stopped."""


def streamrp2p(*arguments: str) -> list[str]:
    """Return the command line of a `streamrp2p` command, run by this very Python."""
    return [sys.executable, "-m", "streamrp2p.cli", *arguments]


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
    relays: list[Relay] = field(default_factory=list)
    origin_key: Address = field(default=Address(b""))
    on_wait: Callable[[], None] = field(default=lambda: None)
    """Called again and again while the run waits for something."""
    when: Callable[[], str] = field(default=lambda: "")
    """Says, for the status line, where in the epochs the run is."""

    @property
    def rpc(self) -> str:
        """The chain's RPC URL."""
        return loopback(self.ports.anvil)

    @property
    def coordinator_url(self) -> str:
        """The coordinator's base URL."""
        return loopback(self.ports.coordinator)

    @property
    def corrupting(self) -> Relay:
        """The relay behind the corrupting proxy: the last."""
        return self.relays[-1]

    def make_keys(self) -> None:
        """Make the origin's keys and the relays' own keystores, through the command line as operators do."""
        layout = self.layout
        names = [f"relay-{number}" for number in range(1, RELAYS + 1)]
        commands = {
            f"init-{name}": streamrp2p(
                *("node", "init", "--dir", str(layout.relay(name))),
                *("--password-file", str(layout.password_file), "--json"),
            )
            for name in names
        }
        commands["init-origin"] = streamrp2p(
            "origin", "init", "--dir", str(layout.origin), "--json"
        )
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
                return connect(self.rpc, CHAIN_ID)
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
        stream = Stream(self.origin_key, MAX_BYTES_PER_SECOND, loopback(self.ports.origin))
        market = open_pool(web3, deployment, stream, ticket_signer)
        let_time_mine(web3)
        return market

    def start_coordinator(self) -> CoordinatorClient:
        """Start the coordinator with its embedded database."""
        layout = self.layout
        config = layout.coordinator / "coordinator.toml"
        settings: dict[str, str | int] = {
            "database_url": f"sqlite:///{layout.coordinator / 'coordinator.db'}",
            "rpc_url": self.rpc,
            "deployment": str(layout.deployment),
            "poster_keystore": str(layout.poster_keystore),
            "poster_password_file": str(layout.password_file),
            "ticket_signer_keystore": str(layout.ticket_signer_keystore),
            "ticket_signer_password_file": str(layout.password_file),
            "host": "127.0.0.1",
            "port": self.ports.coordinator,
            "rate_slack_seconds": RATE_SLACK_SECONDS,
            "ticket_seconds": self.grid.epoch_seconds,
            "confirmations": 0,
            "tick_seconds": 1,
            "health_seconds": 2,
            "bundle_dir": str(layout.coordinator / "bundles"),
        }
        # A JSON string or number is a TOML one too.
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
        config.write_text("".join(lines))
        self.supervisor.start(
            "coordinator", streamrp2p("coordinator", "run", "--config", str(config))
        )
        client = CoordinatorClient(self.coordinator_url)
        self.wait_for("the coordinator", lambda: client.ready() or None)
        return client

    def start_origin(self, pool_id: int) -> None:
        """Start the origin; it has no stream yet. `start_encoder` waits until it is ready."""
        self.supervisor.start(
            "origin",
            streamrp2p(
                *("origin", "run", "--dir", str(self.layout.origin), "--pool", str(pool_id)),
                *("--rpc", self.rpc, "--deployment", str(self.layout.deployment)),
                *("--rtmp-port", str(self.ports.rtmp), "--port", str(self.ports.origin)),
                *("--segment-seconds", str(SEGMENT_SECONDS)),
            ),
        )

    def start_encoder(self, pool_id: int) -> None:
        """Start a real encoder that pushes RTMP; return when the origin serves its first segments."""
        self._wait_for_health("the origin", loopback(self.ports.origin))
        self.supervisor.start(
            "encoder",
            streamrp2p(
                *(
                    "origin",
                    "publish-test",
                    "--rtmp",
                    f"rtmp://127.0.0.1:{self.ports.rtmp}/live/demo",
                ),
                *("--seconds", str(ENCODER_SECONDS), "--bitrate", str(VIDEO_KBIT)),
            ),
        )

        def has_segments() -> bool | None:
            with NodeClient(loopback(self.ports.origin)) as origin:
                try:
                    playlist = origin.fetch(pool_id, PLAYLIST_NAME)
                except (ApiError, UnreachableError):
                    return None
            return playlist.count(SEGMENT_TAG.encode()) >= FIRST_SEGMENTS or None

        self.wait_for("the origin's first segments", has_segments)

    def start_proxy(self) -> None:
        """Start the public face of the corrupting relay."""
        self.supervisor.start(
            "corrupting-proxy",
            corrupting_proxy.command(
                self.ports.proxy,
                loopback(self.corrupting.port),
                self.layout.report("corrupting-proxy"),
                honest_segments=HONEST_SEGMENTS,
            ),
        )

    def start_relay(self, relay: Relay) -> None:
        """Start a relay, for the first time or again; `wait_for_relays` tells when it is ready."""
        layout = self.layout
        relay.child = self.supervisor.start(
            relay.name,
            streamrp2p(
                *("node", "run", "--dir", str(layout.relay(relay.name))),
                *("--coordinator", self.coordinator_url, "--endpoint", relay.endpoint),
                *("--host", "127.0.0.1", "--port", str(relay.port)),
                *("--password-file", str(layout.password_file)),
                *("--submit-seconds", str(SUBMIT_SECONDS)),
                *(("--payout", "0x" + relay.payout.hex()) if relay.payout else ()),
            ),
        )

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
        return self.supervisor.start(
            name,
            streamrp2p(
                *("viewer", "watch", "--coordinator", self.coordinator_url),
                *("--pool", str(pool_id), "--seconds", str(seconds)),
                *("--json", str(self.layout.report(name))),
            ),
            may_end=True,
        )

    def audit_command(self, epoch: int) -> list[str]:
        """Return the command line of one epoch's audit."""
        return streamrp2p(
            *("audit", "epoch", str(epoch), "--coordinator", self.coordinator_url),
            *("--rpc", self.rpc, "--deployment", str(self.layout.deployment), "--json"),
        )

    def claim_command(self, relay: Relay) -> list[str]:
        """Return the command line of a relay's claim."""
        return streamrp2p(
            *("node", "claim", "--dir", str(self.layout.relay(relay.name))),
            *("--coordinator", self.coordinator_url, "--rpc", self.rpc),
            *("--password-file", str(self.layout.password_file), "--yes", "--json"),
        )

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
