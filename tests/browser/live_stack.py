"""All that a player in a browser needs: chain, coordinator, origin, relays, an encoder with a clock in its picture."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from streamrp2p.client import CoordinatorClient
from streamrp2p.http_api import ApiError, UnreachableError
from streamrp2p.node_client import NodeClient
from streamrp2p.numbers import SessionId
from streamrp2p.receipt import SessionRecord
from streamrp2p_demo.adversaries import corrupting_proxy
from streamrp2p_demo.adversaries.corrupting_proxy import ServedObject, read_ledger
from streamrp2p_demo.child import Child
from streamrp2p_demo.commands import streamrp2p
from streamrp2p_demo.layout import Layout, Ports, loopback
from streamrp2p_demo.market import Grid
from streamrp2p_demo.processes import Supervisor
from streamrp2p_demo.progress import Progress
from streamrp2p_demo.stack import Relay, Stack
from tests.support import burnt_clock

EPOCH = Grid(epoch_seconds=60, intake_grace_seconds=10, challenge_seconds=16, response_seconds=4)
"""Short enough that a player renews its sessions several times in a test."""
ENCODER_SECONDS = 1200
VIDEO_KBIT = 400
PROXY_REPORT = "corrupting-proxy"


@dataclass(slots=True)
class LiveStack:
    """A running system with a live stream; relays are started by the tests."""

    stack: Stack
    coordinator: CoordinatorClient
    pool_id: int

    @property
    def coordinator_url(self) -> str:
        return self.stack.commands.coordinator_url

    @property
    def origin_url(self) -> str:
        return loopback(self.stack.ports.origin)

    @property
    def relays(self) -> list[Relay]:
        """The relays; the last is reached through the corrupting proxy."""
        return self.stack.relays

    def run_only(self, *relays: Relay) -> None:
        """Let these relays run and no other; return when the coordinator knows it."""
        for relay in self.relays:
            if relay in relays and relay.child is None:
                self.stack.start_relay(relay)
            elif relay not in relays and relay.child is not None:
                self.stack.supervisor.stop([relay.child])
                relay.child = None
        wanted = {relay.node for relay in relays}

        def is_known() -> bool:
            return wanted == {node.node for node in self.coordinator.nodes() if node.is_healthy}

        self.wait_until("the coordinator to know which relays run", is_known)

    def start_proxy(self, *, honest_objects: int) -> None:
        """Start the last relay's public face, which corrupts what follows `honest_objects` objects."""
        self.stack.supervisor.start(
            PROXY_REPORT,
            corrupting_proxy.command(
                self.stack.ports.proxy,
                loopback(self.relays[-1].port),
                self.stack.layout.report(PROXY_REPORT),
                honest_objects=honest_objects,
            ),
        )

    def proxied(self) -> list[ServedObject]:
        """Return what the proxy served."""
        return read_ledger(self.stack.layout.report(PROXY_REPORT))

    def kill(self, relay: Relay) -> None:
        """Kill a relay with SIGKILL: neither it nor the system says goodbye to its viewers."""
        assert relay.child is not None
        self.stack.supervisor.kill(relay.child)
        relay.child = None

    def served_bytes(self, relay: Relay) -> int:
        """Return the bytes that a relay's own counter says it served since its start."""
        return int(self.status(relay)["bytesServed"])

    def status(self, relay: Relay) -> dict[str, Any]:
        """Return a relay's GET /v1/status."""
        answer = httpx.get(f"{loopback(relay.port)}/v1/status", timeout=10)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def acknowledged_bytes(self, relay: Relay) -> dict[SessionId, int]:
        """Return what the coordinator's ledger holds for a relay, by session: acknowledged is paid."""
        path = self.stack.layout.coordinator / "coordinator.db"
        ledger = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            rows = ledger.execute("SELECT record FROM sessions WHERE node = ?", (relay.node,))
            records = [SessionRecord.decode(data) for (data,) in rows]
        finally:
            ledger.close()
        return {record.receipt.session_id: record.receipt.bytes_delivered for record in records}

    def longest_segment_bytes(self) -> int:
        """Return the length of the longest segment that the origin lists now."""
        lengths = [0]
        with NodeClient(self.origin_url) as origin:
            multivariant = origin.multivariant_playlist(self.pool_id).data.decode()
            for rendition in re.findall(r"^(\w+)\.m3u8$", multivariant, re.MULTILINE):
                playlist = origin.media_playlist(self.pool_id, rendition).data.decode()
                lengths += map(int, re.findall(r"P-SEGMENT:SHA256=\w+,BYTES=(\d+)", playlist))
        return max(lengths)

    def wait_until(self, what: str, is_so: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for something; any process that dies meanwhile fails the test."""
        self.stack.wait_for(what, lambda: is_so() or None, seconds)


@contextmanager
def live_stack(folder: Path) -> Iterator[LiveStack]:
    """Start everything but the relays, with the stream on air; stops all of it."""
    layout = Layout(folder)
    password = layout.make()
    with Supervisor(layout.logs) as supervisor:
        progress = Progress(Console(quiet=True))
        stack = Stack(supervisor, layout, Ports.choose(), EPOCH, progress, password)
        stack.make_keys()
        market = stack.open_market(stack.start_chain())
        start_origin(stack, market.pool_id)
        with stack.start_coordinator() as coordinator:
            start_encoder(stack, market.pool_id)
            yield LiveStack(stack, coordinator, market.pool_id)


def start_origin(stack: Stack, pool_id: int) -> None:
    """Start the origin as a streamer would, but with one rendition: the machine has a browser to run as well."""
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


def start_encoder(stack: Stack, pool_id: int) -> None:
    """Push the picture with the clock until the origin publishes it."""
    key = (stack.layout.origin / "stream.key").read_text().strip()
    url = f"rtmp://127.0.0.1:{stack.ports.rtmp}/live/{key}"
    command = burnt_clock.command(url, seconds=ENCODER_SECONDS, video_kbit=VIDEO_KBIT)
    origin = loopback(stack.ports.origin)
    encoder: Child | None = None

    def is_on_air() -> bool | None:
        nonlocal encoder
        # An encoder that comes before the port is open ends at once, as OBS does: it is started again.
        if encoder is None or encoder.exit_code is not None:
            encoder = stack.supervisor.start("encoder", command, may_end=True)
            time.sleep(1)
        with NodeClient(origin) as client:
            try:
                return b"#EXT" in client.multivariant_playlist(pool_id).data or None
            except (ApiError, UnreachableError):
                return None

    stack.wait_for("the stream on air", is_on_air)
