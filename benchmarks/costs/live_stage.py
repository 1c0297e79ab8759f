"""A whole running system with a stream on air; what goes to relays and from them to the coordinator is counted."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from benchmarks.costs.counting_proxy import CountingProxy, counting_proxy
from benchmarks.costs.film import Film
from benchmarks.costs.processes import cpu_seconds
from benchmarks.costs.window import Flow
from streamrp2p.client import CoordinatorClient
from streamrp2p_demo.child import Child
from streamrp2p_demo.commands import streamrp2p
from streamrp2p_demo.layout import Layout, Ports, loopback
from streamrp2p_demo.market import Grid
from streamrp2p_demo.processes import Supervisor
from streamrp2p_demo.progress import Progress
from streamrp2p_demo.stack import Relay, Stack

EPOCH = Grid(epoch_seconds=900)
"""Longer than the measurement: nothing is settled meanwhile."""
VIDEO_KBIT = 3000
MAX_BYTES_PER_SECOND = 600_000
WIDTH, HEIGHT = 640, 360
"""Small, since bytes are what costs; the machine has a browser to run as well."""
FILM_SECONDS = 6


@dataclass(slots=True)
class LiveStage:
    """The running system. Relays are started by the measurements."""

    stack: Stack
    coordinator: CoordinatorClient
    pool_id: int
    to_relays: list[CountingProxy]
    """The relays' public faces, in their order."""
    to_coordinator: CountingProxy

    @property
    def relays(self) -> list[Relay]:
        """The relays."""
        return self.stack.relays

    def start(self, relays: Sequence[Relay], upstream: str) -> None:
        """Start relays, perhaps again, fed by the `origin` or by `relays`; return when viewers are sent to them."""
        running = [relay.child for relay in relays if relay.child is not None]
        self.stack.supervisor.stop(running)
        for relay in relays:
            relay.child = self._started(relay, upstream)
        for relay in relays:
            self.stack.wait_for_relay(relay)
        wanted = {relay.node for relay in relays}

        def are_known() -> bool | None:
            known = {node.node for node in self.coordinator.nodes() if node.is_healthy}
            return wanted <= known or None

        self.stack.wait_for("the relays", are_known)

    def _started(self, relay: Relay, upstream: str) -> Child:
        layout = self.stack.layout
        return self.stack.supervisor.start(
            relay.name,
            streamrp2p(
                *("node", "run", "--dir", layout.relay(relay.name)),
                *("--coordinator", self.to_coordinator.url, "--endpoint", relay.endpoint),
                *("--host", "127.0.0.1", "--port", relay.port),
                *("--password-file", layout.password_file, "--upstream", upstream),
                *("--max-connections-per-address", 256),
            ),
        )

    def status(self, relay: Relay) -> dict[str, Any]:
        """Return what a relay says of its stream; empty before anybody asked for it."""
        answer = httpx.get(f"{loopback(relay.port)}/v1/status", timeout=10)
        answer.raise_for_status()
        pools: list[dict[str, Any]] = answer.json()["pools"]
        return pools[0] if pools else {}

    def flow(self, relay: Relay) -> Flow:
        """Return a relay's counters of now."""
        status = self.status(relay)
        assert relay.child is not None
        origin = status["origin"]
        return Flow(
            origin["bytesReceived"],
            origin["objectsFetched"] + origin["playlistsFetched"],
            status["bytesServed"],
            _size(self.stack.layout.relay(relay.name) / "journal"),
            cpu_seconds(relay.child.pid),
        )


@contextmanager
def live_stage(folder: Path) -> Iterator[LiveStage]:
    """Start everything but the relays, with the stream on air; stops all of it."""
    film = Film.make(folder / "film.flv", WIDTH, HEIGHT, VIDEO_KBIT, seconds=FILM_SECONDS)
    layout = Layout(folder)
    password = layout.make()
    with ExitStack() as held:
        supervisor = held.enter_context(Supervisor(layout.logs))
        ports = Ports.choose()
        stack = Stack(
            supervisor, layout, ports, EPOCH, Progress(Console(quiet=True)), password,
            max_bytes_per_second=MAX_BYTES_PER_SECOND,
        )  # fmt: skip
        stack.make_keys()
        market = stack.open_market(stack.start_chain())
        _start_origin(stack, market.pool_id)
        to_coordinator = held.enter_context(counting_proxy(ports.coordinator))
        to_relays = [held.enter_context(counting_proxy(relay.port)) for relay in stack.relays]
        for number, proxy in enumerate(to_relays):
            stack.relays[number] = replace(stack.relays[number], endpoint=proxy.url)
        coordinator = held.enter_context(stack.start_coordinator())
        _start_encoder(stack, film, market.pool_id)
        yield LiveStage(stack, coordinator, market.pool_id, to_relays, to_coordinator)


def _start_origin(stack: Stack, pool_id: int) -> None:
    commands = stack.commands
    stack.supervisor.start(
        "origin",
        streamrp2p(
            *("origin", "run", "--dir", stack.layout.origin, "--pool", pool_id),
            *("--rpc", commands.rpc, "--deployment", stack.layout.deployment),
            *("--rtmp-port", stack.ports.rtmp, "--port", stack.ports.origin),
            *("--ladder", "source"),
        ),
    )


def _start_encoder(stack: Stack, film: Film, pool_id: int) -> None:
    """Push the film until the origin publishes it."""
    origin = loopback(stack.ports.origin)
    stack.wait_for("the origin", lambda: _is_success(f"{origin}/healthz"))
    key = (stack.layout.origin / "stream.key").read_text().strip()
    url = f"rtmp://127.0.0.1:{stack.ports.rtmp}/live/{key}"
    stack.supervisor.start("encoder", film.command(url))
    stack.wait_for("the stream", lambda: _is_success(f"{origin}/v1/streams/{pool_id}/live.m3u8"))


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _is_success(url: str) -> bool | None:
    try:
        return httpx.get(url, timeout=2).is_success or None
    except httpx.HTTPError:
        return None
