"""The viewer's command against a real origin with a real encoder, through relays on real sockets."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.media import FakeOrigin, FakeRelay, FakeWorld
from tests.support.origin import (
    RunningOrigin,
    encoding,
    give_origin_key,
    running_origin,
    served,
    wait_for,
)

pytestmark = pytest.mark.integration


class RemoteOrigin(FakeOrigin):
    """Relays read the real origin through it."""

    url = ""

    def respond(self, name: str) -> httpx.Response:
        return httpx.get(f"{self.url}/v1/streams/7/{name}")


@dataclass
class LiveWorld:
    """A world on real sockets; `viewer` is the command that watches it."""

    world: FakeWorld
    coordinator_url: str
    origin: RunningOrigin
    stack: ExitStack = field(default_factory=ExitStack)

    def add_relay(self) -> FakeRelay:
        relay = self.world.add_relay(segment_delay_seconds=0, credit_bytes=10**6)
        index = len(self.world.relays) - 1
        url = self.stack.enter_context(served(relay.handle, f"relay{index}"))
        self.world.endpoints[index] = url
        return relay

    def viewer(self, report: Path, seconds: int) -> list[str]:
        return [
            *(sys.executable, "-m", "streamrp2p.cli", "viewer", "watch", "--log-json"),
            *("--coordinator", self.coordinator_url, "--pool", "7"),
            *("--seconds", str(seconds), "--json", str(report)),
        ]

    def watched(self, report: Path, seconds: int) -> dict[str, Any]:
        run = subprocess.run(
            self.viewer(report, seconds), capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        shown: dict[str, Any] = json.loads(report.read_text())
        return shown


@contextmanager
def live_world(folder: Path) -> Iterator[LiveWorld]:
    world = FakeWorld(max_bytes=10**9, max_bytes_per_second=10**6)
    remote = RemoteOrigin(world.clock)
    world.origin = remote
    give_origin_key(folder)
    with (
        served(world._handle, "coordinator") as url,
        running_origin(folder, url) as origin,
        encoding(origin.rtmp),
        ExitStack() as stack,
    ):
        world.origin_url = remote.url = origin.url
        wait_for(lambda: origin.playlist().count("#EXTINF") >= 3)
        yield LiveWorld(world, url, origin, stack)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveWorld]:
    with live_world(tmp_path) as running:
        yield running


def departures(report: dict[str, Any], relay: FakeRelay) -> list[str]:
    return [
        departure["reason"]
        for source in report["sources"]
        if source["node"] == "0x" + relay.address.hex()
        for departure in source["departures"]
    ]


def corrupting(honest: int) -> Callable[[str, httpx.Response], httpx.Response]:
    seen = 0

    def spoil(name: str, response: httpx.Response) -> httpx.Response:
        nonlocal seen
        if not name.endswith(".m4s"):
            return response
        seen += 1
        if seen <= honest:
            return response
        return httpx.Response(200, content=bytes([response.content[0] ^ 1]) + response.content[1:])

    return spoil


def test_corrupt_relay_and_killed_relay_are_left_and_the_viewer_goes_on(
    live: LiveWorld, tmp_path: Path
) -> None:
    corrupt, dying, honest = live.add_relay(), live.add_relay(), live.add_relay()
    corrupt.spoil = corrupting(honest=3)

    def die(name: str, response: httpx.Response) -> httpx.Response:
        dying.is_down = len(dying.receipts) > 0 and sum(map(len, dying.receipts.values())) >= 3
        return response

    dying.spoil = die
    report = live.watched(tmp_path / "report.json", seconds=15)
    assert departures(report, corrupt) == ["corrupt-object"]
    assert departures(report, dying) == ["unreachable"]
    assert departures(report, honest) == []
    assert report["segmentsSkipped"] == 0
    assert report["bytesOnTime"] == report["bytesDelivered"]
    paid = [
        receipts[-1].bytes_delivered
        for relay in (corrupt, dying, honest)
        for receipts in relay.receipts.values()
    ]
    assert sum(paid) == report["bytesDelivered"] > 0
    assert report["segments"] >= 13


def test_viewer_told_to_stop_reports_and_ends_well(live: LiveWorld, tmp_path: Path) -> None:
    relay = live.add_relay()
    path = tmp_path / "report.json"
    process = subprocess.Popen(live.viewer(path, 60), stderr=subprocess.PIPE)
    wait_for(lambda: bool(relay.receipts))
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=10)
    assert process.returncode == 0
    assert json.loads(path.read_text())["segments"] >= 1
    events = [json.loads(line)["event"] for line in log.decode().splitlines()]
    assert events[0] == "relay_joined"


def test_without_relays_the_origin_itself_is_watched(live: LiveWorld, tmp_path: Path) -> None:
    report = live.watched(tmp_path / "report.json", seconds=5)
    assert [source["node"] for source in report["sources"]] == [None]
    assert report["bytesFromOrigin"] > 0
    assert report["bytesDelivered"] == 0


def test_coordinator_that_is_down_is_worth_another_try(free_port: int) -> None:
    command = [
        *(sys.executable, "-m", "streamrp2p.cli", "viewer", "watch", "--pool", "7"),
        *("--coordinator", f"http://127.0.0.1:{free_port}", "--seconds", "2"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 3
    assert "is not reachable; check that it runs" in run.stderr


def test_report_that_could_not_be_written_is_refused_before_the_watch(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "streamrp2p.cli", "viewer", "watch", "--pool", "7"),
        *(
            "--coordinator",
            "http://127.0.0.1:9",
            "--json",
            str(tmp_path / "absent" / "report.json"),
        ),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "does not exist: make it first" in run.stderr


def test_coordinator_url_that_is_none_is_a_usage_error() -> None:
    command = [
        *(sys.executable, "-m", "streamrp2p.cli", "viewer", "watch", "--pool", "7"),
        *("--coordinator", "not a url", "--seconds", "2"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "a server's URL is like" in run.stderr
