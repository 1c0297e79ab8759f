"""When probes are sent: by the leader alone, at random times, and never without a stream."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from streamrp2p.playlist import MediaPlaylist
from streamrp2p.viewer.source import Source
from streamrp2p_coordinator.jobs import run_probes
from streamrp2p_coordinator.probing.control import read_stream
from streamrp2p_coordinator.probing.prober import ProbePlan, Prober
from streamrp2p_coordinator.use_cases import measure_streams
from tests.coordinator.test_probe_rules import playlist
from tests.coordinator.world import World
from tests.support.origin import wait_for

WAIT_SECONDS = 60.0


def prober(
    world: World,
    asked: list[str],
    site: str | None = "https://watch.example",
    wait: Callable[[], object] = lambda: None,
) -> Prober:
    def off_air(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        wait()
        return httpx.Response(404)

    services = world.services
    services.prober = Prober(
        ProbePlan((lambda: httpx.MockTransport(off_air),), site, every_seconds=60),
        services.database,
        services.network,
        services.policy,
        services.ticket_signer,
        services.clock,
        services.metrics,
        Random(7),  # noqa: S311 - a test that can be repeated
    )
    return services.prober


def test_no_ticket_is_issued_for_a_stream_that_is_off_the_air(world: World) -> None:
    asked: list[str] = []
    world.node()
    running = prober(world, asked)
    running.tick(0)
    running._next_measure_at = 1e9
    running.tick(1e6)
    running._threads.shutdown()

    # Once to measure it, once to probe.
    assert asked == ["/v1/streams/1/live.m3u8"] * 2
    with world.database.read() as store:
        assert store.probes.newest(10) == []
        assert store.nodes.all(world.clock.now)[0].open_sessions == 0


def test_without_a_site_the_streams_are_measured_alone(world: World) -> None:
    asked: list[str] = []
    world.node()
    running = prober(world, asked, None)
    running.tick(0)
    running.tick(50)
    running._threads.shutdown()

    assert len(asked) == 1


def test_measurements_that_last_take_no_probes_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    probed, released = threading.Event(), threading.Event()
    monkeypatch.setattr(
        "streamrp2p_coordinator.probing.prober.probe_node", lambda **_: probed.set()
    )
    world.node()
    running = prober(world, asked, wait=lambda: released.wait(WAIT_SECONDS))
    running._next_probe_at = 600
    try:
        for now in range(0, 601, 60):
            running.tick(now)
        assert probed.wait(WAIT_SECONDS)
        assert len(asked) <= 1
    finally:
        released.set()
    assert running._measuring is not None
    running._measuring.result(WAIT_SECONDS)
    running.tick(660)
    running._threads.shutdown()

    assert len(asked) == 2


def test_a_rate_is_kept_while_another_origin_does_not_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, is_over = threading.Event(), threading.Event()

    def read(origin: Source) -> Sequence[MediaPlaylist]:
        if origin.report.endpoint.endswith("slow.example"):
            released.wait(WAIT_SECONDS)
            is_over.set()
            return []
        return [playlist(1_000_000)]

    def rate() -> int | None:
        with world.database.read() as store:
            return store.probes.rate(2, 1)

    monkeypatch.setattr(measure_streams, "read_stream", read)
    slow = world.chain.records[0]
    world.chain.records[0] = replace(slow, stream=replace(slow.stream, uri="http://slow.example"))
    world.chain.add_pool(2, world.services.ticket_signer.address)
    world.sync()
    running = prober(world, [], None)
    try:
        running.tick(0)
        wait_for(lambda: rate() is not None)
        assert not is_over.is_set()
    finally:
        released.set()
        running.close()

    assert rate() == 500_000


@dataclass
class SlowOrigin:
    """Each of its answers takes six seconds of `now`."""

    renditions: int
    now: float = 0.0
    asked: int = 0

    def multivariant(self, max_seconds: float) -> SimpleNamespace:
        self._answer(max_seconds)
        variants = [SimpleNamespace(rendition=f"{number}") for number in range(self.renditions)]
        return SimpleNamespace(variants=variants)

    def media(self, rendition: str, older: None, max_seconds: float) -> MediaPlaylist:
        self._answer(max_seconds)
        return playlist(1_000_000, rendition=rendition)

    def _answer(self, max_seconds: float) -> None:
        self.asked += 1
        self.now += min(6.0, max_seconds)


@pytest.mark.parametrize(("renditions", "read"), [(2, 2), (16, 0)])
def test_one_stream_is_read_for_twenty_seconds_at_most(
    monkeypatch: pytest.MonkeyPatch, renditions: int, read: int
) -> None:
    origin = SlowOrigin(renditions)
    clock = SimpleNamespace(monotonic=lambda: origin.now)
    monkeypatch.setattr("streamrp2p_coordinator.probing.control.time", clock)

    assert len(read_stream(cast("Source", origin))) == read
    assert origin.now <= 20


def test_pauses_are_random_and_shorter_the_more_nodes_there_are(world: World) -> None:
    running = prober(world, [])
    world.node()
    alone = [running._pause() for _ in range(60)]
    for number in range(50, 59):
        world.node((0xC0FFEE_0000 + number).to_bytes(32))
    ten = [running._pause() for _ in range(60)]
    running.close()

    assert 40 < sum(alone) / 60 < 80
    assert 4 < sum(ten) / 60 < 8


def test_who_does_not_lead_sends_none(world: World) -> None:
    asked: list[str] = []
    running = prober(world, asked)

    run_probes(world.services)
    running.close()

    assert asked == []


def test_who_leads_measures(world: World) -> None:
    asked: list[str] = []
    running = prober(world, asked)
    world.tick()

    run_probes(world.services)
    running._threads.shutdown()

    assert asked == ["/v1/streams/1/live.m3u8"]
    assert world.services.failures == {}
