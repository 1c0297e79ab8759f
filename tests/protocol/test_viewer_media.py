"""The viewer's loop over maps, renditions, blocking reloads, delta updates and relays that drain."""

from collections.abc import Callable

import httpx
import pytest

from streamrp2p.playlist import Variant
from streamrp2p.viewer import Reason, WatchOptions, WatchReport, watch
from streamrp2p.viewer.errors import RenditionError
from streamrp2p.viewer.renditions import chosen
from tests.support.media import POOL_ID, SEGMENT_BYTES, FakeRelay, FakeWorld, map_bytes


def watched(world: FakeWorld, seconds: float = 30, rendition: str | None = None) -> WatchReport:
    options = WatchOptions("http://coordinator", POOL_ID, seconds, rendition=rendition)
    return watch(options, clock=world.clock, transport=world.transport)


def reasons(report: WatchReport, relay: FakeRelay) -> list[Reason]:
    parts = [part for part in report.sources if part.node == relay.address]
    return [departure.reason for part in parts for departure in part.departures]


def paid(relay: FakeRelay) -> int:
    return sum(receipts[-1].bytes_delivered for receipts in relay.receipts.values())


def spoiling(
    names: Callable[[str], bool], answer: httpx.Response
) -> Callable[[str, httpx.Response], httpx.Response]:
    return lambda name, response: answer if names(name) else response


def test_each_map_is_fetched_counted_and_paid_once() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    world.origin.visit_segments = 10
    report = watched(world)
    # It begins at 107 and sees visits 10, 11, 12 and 13.
    assert report.sources[0].maps == 4
    maps = sum(len(map_bytes(visit)) for visit in range(10, 14))
    assert paid(relay) == report.bytes_delivered == report.segments * SEGMENT_BYTES + maps
    assert report.bytes_on_time == report.bytes_delivered
    assert reasons(report, relay) == []


def test_map_is_not_fetched_again_from_the_next_relay() -> None:
    world = FakeWorld()
    dying, next_one = world.add_relay(), world.add_relay()
    world.origin.visit_segments = 1000

    def die(name: str, response: httpx.Response) -> httpx.Response:
        dying.is_down = world.clock.now > 1010
        return response

    dying.spoil = die
    report = watched(world)
    assert [part.maps for part in report.sources] == [1, 0]
    assert paid(next_one) > 10 * SEGMENT_BYTES


def test_corrupt_map_is_not_counted_and_its_relay_is_left_for_good() -> None:
    world = FakeWorld()
    corrupt, honest = world.add_relay(), world.add_relay()
    world.origin.visit_segments = 10
    wrong = httpx.Response(200, content=b"x" * len(map_bytes(11)))
    corrupt.spoil = spoiling(lambda name: name == "11.mp4", wrong)
    report = watched(world)
    assert reasons(report, corrupt) == [Reason.CORRUPT_OBJECT]
    assert report.sources[0].objects_refused == 1
    assert report.bytes_delivered == paid(corrupt) + paid(honest)


def test_map_that_comes_while_the_player_stands_still_is_late() -> None:
    world = FakeWorld()
    relay = world.add_relay(segment_delay_seconds=0)
    world.origin.visit_segments = 10

    def delay(name: str, response: httpx.Response) -> httpx.Response:
        world.clock.now += 6 if name == "12.mp4" else 0
        return response

    relay.spoil = delay
    report = watched(world)
    late = report.bytes_delivered - report.bytes_on_time
    assert late == len(map_bytes(12)) + SEGMENT_BYTES
    assert report.stalls == 1


def test_highest_rendition_that_the_pools_rate_covers_is_watched() -> None:
    world = FakeWorld(max_bytes_per_second=10_000)
    world.add_relay()
    world.origin.renditions = {"source": 90_000, "480p": 80_000, "240p": 10_000}
    assert watched(world, 5).rendition == "480p"
    assert {name.partition("?")[0] for name in world.origin.asked} == {"live.m3u8", "480p.m3u8"}
    assert watched(world, 5, rendition="240p").shown()["rendition"] == "240p"


@pytest.mark.parametrize(
    ("name", "rate", "expected"),
    [(None, 1000, "a"), (None, 999, "b"), (None, 0, "b"), (None, 10**6, "c"), ("a", 0, "a")],
)
def test_rendition_is_the_named_one_or_the_best_within_the_rate(
    name: str | None, rate: int, expected: str
) -> None:
    variants = [Variant("a", 8000), Variant("b", 100), Variant("c", 8001)]
    assert chosen(variants, name, rate).rendition == expected


def test_rendition_that_the_stream_does_not_have_is_an_error_that_lists_what_there_is() -> None:
    world = FakeWorld()
    world.add_relay()
    with pytest.raises(RenditionError, match="no rendition 720p: choose one of source") as caught:
        watched(world, 5, rendition="720p")
    assert caught.value.is_usage


def test_rendition_that_goes_is_replaced_by_one_that_is_still_there() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    world.origin.renditions = {"source": 8000, "240p": 100}

    def change(name: str, response: httpx.Response) -> httpx.Response:
        if world.clock.now > 1010:
            world.origin.renditions = {"240p": 100}
        return response

    relay.spoil = change
    report = watched(world)
    assert report.rendition == "240p"
    assert reasons(report, relay) == []
    assert (report.stalls, report.segments_skipped) == (0, 0)


def test_relay_that_serves_another_rendition_than_asked_for_is_left_for_good() -> None:
    world = FakeWorld()
    cheating, honest = world.add_relay(), world.add_relay()
    other = httpx.Response(200, content=world.origin.playlist(rendition="240p"))
    cheating.spoil = spoiling(lambda name: name == "source.m3u8", other)
    report = watched(world, 10)
    assert reasons(report, cheating) == [Reason.BAD_PLAYLIST]
    assert paid(honest) > 0


def test_source_that_can_wait_is_asked_once_for_each_segment() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    world.origin.can_block = True
    report = watched(world)
    asked = [name for name in world.origin.asked if name.startswith("source.m3u8")]
    assert reasons(report, relay) == []
    assert (report.stalls, report.segments_skipped) == (0, 0)
    assert len(asked) <= report.segments
    assert "source.m3u8?_HLS_msn=110" in asked


def test_silence_of_the_encoder_costs_a_relay_that_waits_for_it_nothing() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    world.origin.can_block = True
    world.origin.silence = (1010.0, 1030.0)
    report = watched(world, 50)
    assert reasons(report, relay) == []
    assert report.bytes_on_time == report.bytes_delivered == paid(relay)
    assert report.paused_seconds > 10


def test_relay_that_dies_while_a_viewer_waits_is_left() -> None:
    world = FakeWorld()
    dying, next_one = world.add_relay(), world.add_relay()
    world.origin.can_block = True

    def die(name: str, response: httpx.Response) -> httpx.Response:
        dying.is_down = world.clock.now > 1010
        return response

    dying.spoil = die
    report = watched(world)
    assert reasons(report, dying)[0] is Reason.UNREACHABLE
    assert (report.stalls, report.segments_skipped) == (0, 0)
    assert paid(next_one) > 10 * SEGMENT_BYTES


def test_playlists_travel_as_delta_updates_where_the_source_offers_them() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    world.origin.can_skip = world.origin.can_block = True
    world.origin.visit_segments = 10
    report = watched(world)
    asked = [name for name in world.origin.asked if name.startswith("source.m3u8")]
    assert asked[0] == "source.m3u8?"
    assert all("_HLS_skip=YES" in name for name in asked[1:])
    assert (report.segments_skipped, reasons(report, relay)) == (0, [])
    assert report.sources[0].maps == 4


def test_update_that_cannot_be_completed_is_followed_by_the_full_playlist() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    world.origin.can_skip = True

    def sleep_once(name: str, response: httpx.Response) -> httpx.Response:
        world.clock.now += 60 if name == "115.ts" else 0
        return response

    relay.spoil = sleep_once
    report = watched(world, 90)
    assert world.origin.asked.count("source.m3u8?") == 2
    assert reasons(report, relay) == []
    assert report.segments_skipped > 50


def test_draining_relay_is_left_for_another_and_owed_nothing() -> None:
    world = FakeWorld()
    draining, next_one = world.add_relay(), world.add_relay()

    def drain(name: str, response: httpx.Response) -> httpx.Response:
        if world.clock.now > 1010 and name.endswith(".m3u8"):
            response.headers["StreamrP2P-Draining"] = "1"
        return response

    draining.spoil = drain
    report = watched(world)
    assert reasons(report, draining) == [Reason.DRAINING]
    assert (report.stalls, report.segments_skipped) == (0, 0)
    assert report.bytes_delivered == paid(draining) + paid(next_one)
    assert paid(next_one) > 10 * SEGMENT_BYTES


def test_draining_relay_is_used_on_while_there_is_no_other() -> None:
    world = FakeWorld()
    draining = world.add_relay()

    def drain(name: str, response: httpx.Response) -> httpx.Response:
        if name.endswith(".m3u8"):
            response.headers["StreamrP2P-Draining"] = "1"
        return response

    draining.spoil = drain
    report = watched(world)
    assert reasons(report, draining) == []
    assert paid(draining) == report.segments * SEGMENT_BYTES
    assert world.asked < 35, "it asks for another relay once a second"
