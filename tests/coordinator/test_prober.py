"""When probes are sent: by the leader alone, at random times, and never without a stream."""

from random import Random

import httpx

from streamrp2p_coordinator.jobs import run_probes
from streamrp2p_coordinator.probing.prober import ProbePlan, Prober
from tests.coordinator.world import World


def prober(world: World, asked: list[str], site: str | None = "https://watch.example") -> Prober:
    def off_air(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
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
