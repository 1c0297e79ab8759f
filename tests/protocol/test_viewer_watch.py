"""The viewer's loop against a live stream in memory: what it pays, whom it leaves, and that it goes on."""

from collections.abc import Callable

import httpx
import pytest

from streamrp2p import api
from streamrp2p.http_api import ApiError, UnreachableError
from streamrp2p.viewer import NothingPlayedError, Reason, WatchOptions, WatchReport, watch
from tests.support.media import GENESIS, POOL_ID, SEGMENT_BYTES, FakeRelay, FakeWorld, problem


def watched(world: FakeWorld, seconds: float = 30, **options: float) -> WatchReport:
    chosen = WatchOptions("http://coordinator", POOL_ID, seconds, **options)  # type: ignore[arg-type]
    return watch(chosen, clock=world.clock, transport=world.transport)


def reasons(report: WatchReport, relay: FakeRelay) -> list[Reason]:
    parts = [part for part in report.sources if part.node == relay.address]
    return [departure.reason for part in parts for departure in part.departures]


def paid(relay: FakeRelay) -> tuple[int, int]:
    """Bytes delivered and on time, by the newest receipt of each session."""
    newest = [receipts[-1] for receipts in relay.receipts.values()]
    return sum(each.bytes_delivered for each in newest), sum(each.bytes_on_time for each in newest)


def spoil_after(relay: FakeRelay, count: int, answer: httpx.Response, *, of: str) -> None:
    """Replace all of the relay's answers to `of` after the first `count` by `answer`."""
    seen = 0

    def spoil(name: str, response: httpx.Response) -> httpx.Response:
        nonlocal seen
        seen += name.endswith(of)
        return answer if name.endswith(of) and seen > count else response

    relay.spoil = spoil


def whenever(world: FakeWorld, do: Callable[[], None]) -> None:
    """Call `do` at each request that the origin gets."""
    respond = world.origin.respond

    def respond_after(name: str) -> httpx.Response:
        do()
        return respond(name)

    world.origin.respond = respond_after  # type: ignore[method-assign]


def test_honest_relay_is_paid_for_every_byte_and_never_left() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    report = watched(world)
    assert 30 <= report.segments <= 34
    assert paid(relay) == (report.segments * SEGMENT_BYTES, report.segments * SEGMENT_BYTES)
    assert reasons(report, relay) == []
    assert (report.stalls, report.tickets, report.segments_skipped) == (0, 1, 0)
    sequences = [each.sequence for each in next(iter(relay.receipts.values()))]
    assert sequences == list(range(1, report.segments + 1))


def test_corrupt_segment_is_not_counted_its_relay_is_left_for_good_and_another_gives_it() -> None:
    world = FakeWorld(epoch_seconds=20)
    corrupt, honest = world.add_relay(), world.add_relay()
    spoil_after(corrupt, 5, httpx.Response(200, content=b"x" * SEGMENT_BYTES), of=".ts")
    report = watched(world, 120)
    assert reasons(report, corrupt) == [Reason.CORRUPT_OBJECT]
    assert report.sources[0].objects_refused == 1
    assert paid(corrupt) == (5 * SEGMENT_BYTES, 5 * SEGMENT_BYTES)
    assert report.bytes_delivered == sum(paid(corrupt)[:1]) + paid(honest)[0]
    assert (report.stalls, report.segments_skipped) == (0, 0)
    assert world.requests[-1].excluded_nodes == [corrupt.address]


def test_segment_longer_than_the_signed_length_is_corrupt() -> None:
    world = FakeWorld()
    corrupt = world.add_relay()
    spoil_after(corrupt, 0, httpx.Response(200, content=bytes(SEGMENT_BYTES + 1)), of=".ts")
    report = watched(world, 5)
    assert reasons(report, corrupt) == [Reason.CORRUPT_OBJECT]
    assert corrupt.receipts == {}


def test_relay_that_dies_in_the_midst_is_left_without_a_stall() -> None:
    world = FakeWorld()
    dying, next_one = world.add_relay(), world.add_relay()

    def spoil(name: str, response: httpx.Response) -> httpx.Response:
        dying.is_down = world.clock.now > 1010
        return response

    dying.spoil = spoil
    report = watched(world)
    assert reasons(report, dying)[0] is Reason.UNREACHABLE
    assert paid(next_one)[0] > 15 * SEGMENT_BYTES
    assert (report.stalls, report.segments_skipped) == (0, 0)


def test_relay_that_died_is_used_again_once_it_is_back() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    relay.is_down = True

    def revive() -> None:
        relay.is_down = world.clock.now < 1012

    whenever(world, revive)
    report = watched(world, 40)
    assert reasons(report, relay)[0] is Reason.UNREACHABLE
    assert paid(relay)[0] > 10 * SEGMENT_BYTES
    assert report.shown()["bytesFromOrigin"] > 0


def test_playlist_that_stands_still_makes_its_relay_left() -> None:
    world = FakeWorld()
    frozen, honest = world.add_relay(), world.add_relay()

    def freeze(name: str, response: httpx.Response) -> httpx.Response:
        if name == "source.m3u8" and world.clock.now > 1005:
            return httpx.Response(200, content=world.origin.playlist(1005.0))
        return response

    frozen.spoil = freeze
    report = watched(world, 40)
    assert reasons(report, frozen) == [Reason.STALE_PLAYLIST]
    assert paid(honest)[0] > 10 * SEGMENT_BYTES


def test_playlist_that_the_origin_did_not_sign_makes_its_relay_left_for_good() -> None:
    world = FakeWorld(epoch_seconds=20)
    forging, honest = world.add_relay(), world.add_relay()
    forged = world.origin.playlist().replace(b"#EXTINF:1.0", b"#EXTINF:9.0")
    spoil_after(forging, 2, httpx.Response(200, content=forged), of="source.m3u8")
    report = watched(world, 120)
    assert reasons(report, forging) == [Reason.BAD_PLAYLIST]
    assert paid(honest)[0] > 100 * SEGMENT_BYTES


def test_late_segments_earn_half_and_then_their_relay_is_left() -> None:
    world = FakeWorld()
    slow = world.add_relay(segment_delay_seconds=1.6)
    world.add_relay()
    report = watched(world)
    assert reasons(report, slow) == [Reason.LATE]
    delivered, on_time = paid(slow)
    assert delivered - on_time == 3 * SEGMENT_BYTES
    assert report.stalls == 3
    assert report.stalled_seconds > 0.5


def test_source_that_pauses_costs_no_relay_anything() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    world.origin.silence = (1010.0, 1030.0)
    report = watched(world, 50)
    delivered, on_time = paid(relay)
    assert delivered == on_time
    assert reasons(report, relay) == []
    assert report.paused_seconds > 10


def test_origin_that_begins_anew_with_lower_numbers_is_followed() -> None:
    world = FakeWorld()
    relay = world.add_relay()

    def reset() -> None:
        if world.clock.now > 1010:
            world.origin.first_sequence = 0

    whenever(world, reset)
    report = watched(world, 40)
    assert reasons(report, relay) == []
    assert report.segments > 30


def test_epoch_change_renews_the_ticket_silently() -> None:
    world = FakeWorld(epoch_seconds=20)
    relay = world.add_relay()
    report = watched(world, 70)
    epochs = [ticket.epoch for ticket in relay.tickets.values()]
    assert epochs == [50, 51, 52, 53]
    assert reasons(report, relay) == []
    assert (report.stalls, report.tickets) == (0, 4)
    assert paid(relay)[0] == report.segments * SEGMENT_BYTES
    for session_id, receipts in relay.receipts.items():
        expires_at = relay.tickets[session_id].expires_at
        assert all(each.signed_at <= expires_at + 1 for each in receipts)


def test_short_ticket_is_renewed_before_it_ends() -> None:
    world = FakeWorld(ticket_seconds=24)
    relay = world.add_relay()
    watched(world, 60)
    for session_id, receipts in relay.receipts.items():
        assert receipts[-1].signed_at < relay.tickets[session_id].expires_at


def test_relay_that_ends_a_session_sharply_is_asked_for_the_next_one_and_not_left() -> None:
    world = FakeWorld(epoch_seconds=20)
    relay = world.add_relay(is_strict=True)
    world.clock.now += 0.95  # The viewer's idea of the coordinator's time is nearly a second late.
    report = watched(world, 70)
    assert reasons(report, relay) == []
    assert report.stalls == 0
    assert len(relay.tickets) >= 4


def test_relay_that_accepts_no_ticket_is_left() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    spoil_after(relay, 3, problem(403, "ticket-expired"), of=".ts")
    report = watched(world, 10)
    assert reasons(report, relay)[0] is Reason.REFUSED
    assert report.tickets < 8
    assert report.shown()["bytesFromOrigin"] > 0


def test_relay_whose_origin_fails_is_tried_again_soon_however_often() -> None:
    world = FakeWorld()
    relay = world.add_relay()

    def fail(name: str, response: httpx.Response) -> httpx.Response:
        is_cut_off = name == "source.m3u8" and 1005 < world.clock.now < 1050
        return problem(502, "origin-failed") if is_cut_off else response

    relay.spoil = fail
    report = watched(world, 80)
    assert set(reasons(report, relay)) == {Reason.ORIGIN_FAILED}
    last = next(part for part in report.sources if part.node is None).departures[-1]
    assert 50 < last.at_seconds < 60


def test_ticket_is_renewed_when_its_credit_runs_low_and_never_overdrawn() -> None:
    world = FakeWorld(max_bytes=4 * SEGMENT_BYTES + 10)
    relay = world.add_relay()
    report = watched(world, 30)
    assert {receipts[-1].bytes_delivered for receipts in relay.receipts.values()} <= {
        count * SEGMENT_BYTES for count in range(1, 5)
    }
    assert paid(relay)[0] == report.segments * SEGMENT_BYTES
    assert report.segments >= 30


def test_ticket_with_less_credit_than_one_segment_is_not_overdrawn() -> None:
    world = FakeWorld(max_bytes=SEGMENT_BYTES - 1)
    relay = world.add_relay()
    report = watched(world, 20)
    assert relay.receipts == {}
    assert set(reasons(report, relay)) == {Reason.UNPAID}
    assert report.shown()["bytesFromOrigin"] > 0


def test_wrong_wall_clock_of_the_coordinator_is_followed_in_receipts() -> None:
    world = FakeWorld(coordinator_skew=500_000, epoch_seconds=10)
    relay = world.add_relay()
    watched(world, 20)
    for session_id, receipts in relay.receipts.items():
        ticket = relay.tickets[session_id]
        assert all(ticket.issued_at <= each.signed_at for each in receipts)
        assert receipts[-1].signed_at > GENESIS + 500_000


def test_lost_receipt_is_made_good_when_the_relay_asks_for_payment() -> None:
    world = FakeWorld()
    relay = world.add_relay(credit_bytes=0, loses=frozenset({4, 9}))
    report = watched(world, 20)
    assert reasons(report, relay) == []
    assert paid(relay)[0] == report.segments * SEGMENT_BYTES
    sequences = [each.sequence for each in next(iter(relay.receipts.values()))]
    assert sequences[:9] == [1, 2, 3, 5, 6, 7, 8, 10, 11]
    assert len(sequences) == report.segments


def test_relay_that_wants_payment_for_what_is_paid_is_left() -> None:
    world = FakeWorld()
    greedy = world.add_relay()
    world.add_relay()
    spoil_after(greedy, 4, problem(402, "payment-required"), of=".ts")
    report = watched(world, 10)
    assert reasons(report, greedy) == [Reason.UNPAID]
    assert paid(greedy)[0] == 4 * SEGMENT_BYTES


def test_relay_that_refuses_receipts_is_left() -> None:
    world = FakeWorld()
    refusing = world.add_relay()
    world.add_relay()
    spoil_after(refusing, 2, problem(400, "bad-receipt"), of="receipt")
    assert reasons(watched(world, 10), refusing) == [Reason.RECEIPT_REFUSED]


def test_relay_that_opens_no_session_is_avoided() -> None:
    world = FakeWorld()
    refusing, honest = world.add_relay(), world.add_relay()
    spoil_after(refusing, 0, problem(409, "full"), of="open")
    report = watched(world, 4)
    assert reasons(report, refusing) == [Reason.REFUSED]
    assert paid(honest)[0] > 0


def test_segment_that_a_relay_lists_and_lacks_makes_it_left() -> None:
    world = FakeWorld()
    lacking = world.add_relay()
    world.add_relay()
    spoil_after(lacking, 3, problem(404, "segment-unknown"), of=".ts")
    report = watched(world, 10)
    assert reasons(report, lacking) == [Reason.MISSING_OBJECT]
    assert report.segments_skipped == 0


def test_segment_that_a_relay_lacks_once_is_asked_for_again() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    lacked: list[str] = []

    def lack_once(name: str, response: httpx.Response) -> httpx.Response:
        if name == "115.ts" and not lacked:
            lacked.append(name)
            return problem(404, "segment-unknown")
        return response

    relay.spoil = lack_once
    report = watched(world, 20)
    assert lacked == ["115.ts"]
    assert reasons(report, relay) == []
    assert report.segments_skipped == 0


def test_player_that_fell_behind_the_window_skips_to_the_live_edge_and_counts_what_it_lost() -> (
    None
):
    world = FakeWorld()
    relay = world.add_relay()

    def sleep_once(name: str, response: httpx.Response) -> httpx.Response:
        if name == "115.ts":
            world.clock.now += 60
        return response

    relay.spoil = sleep_once
    report = watched(world, 90)
    # 115 came when 170 was the oldest of the three to begin with.
    assert 54 <= report.segments_skipped <= 60
    assert report.segments + report.segments_skipped == pytest.approx(93, abs=3)
    delivered, on_time = paid(relay)
    assert delivered - on_time == SEGMENT_BYTES


def test_viewer_that_catches_up_stays_within_the_pools_rate() -> None:
    world = FakeWorld(max_bytes_per_second=1500, rate_slack_seconds=2, epoch_seconds=9)
    relay = world.add_relay(credit_bytes=10**6)

    def sleep_once(name: str, response: httpx.Response) -> httpx.Response:
        if name == "115.ts":
            world.clock.now += 5
        return response

    relay.spoil = sleep_once
    report = watched(world, 40)
    assert reasons(report, relay) == []
    assert len(relay.receipts) > 3
    for session_id, receipts in relay.receipts.items():
        issued_at = relay.tickets[session_id].issued_at
        for receipt in receipts:
            assert receipt.bytes_delivered <= 1500 * (receipt.signed_at - issued_at + 2)


def test_pool_whose_rate_does_not_cover_its_stream_costs_no_relay_a_rejection() -> None:
    world = FakeWorld(max_bytes_per_second=0)
    relay = world.add_relay()
    report = watched(world, 10)
    assert set(reasons(report, relay)) == {Reason.UNPAID}
    assert relay.receipts == {}
    assert report.shown()["bytesFromOrigin"] > 0


def test_coordinator_that_offers_an_avoided_relay_is_not_followed() -> None:
    world = FakeWorld(heeds_exclusions=False)
    corrupt = world.add_relay()
    spoil_after(corrupt, 2, httpx.Response(200, content=b"x" * SEGMENT_BYTES), of=".ts")
    report = watched(world, 20)
    assert reasons(report, corrupt) == [Reason.CORRUPT_OBJECT]
    assert report.sources[-1].node is None


@pytest.mark.parametrize("field", ["pool_id", "viewer"])
def test_ticket_for_somebody_else_is_not_used(field: str) -> None:
    world = FakeWorld()
    relay = world.add_relay()
    other: dict[str, object] = {"pool_id": 8, "viewer": bytes([9]) * 20}

    def spoil(session: api.Session) -> api.Session:
        ticket = session.ticket.model_copy(update={field: other[field]})
        return session.model_copy(update={"ticket": ticket})

    world.spoil = spoil
    report = watched(world, 5)
    assert relay.tickets == {}
    assert report.tickets == 0


def test_relay_that_opens_another_session_than_ours_is_left() -> None:
    world = FakeWorld()
    relay = world.add_relay()
    other = api.OpenedSession(session_id=bytes(32), credit_bytes=1)
    answer = httpx.Response(200, content=other.model_dump_json(by_alias=True))
    spoil_after(relay, 0, answer, of="open")
    assert set(reasons(watched(world, 5), relay)) == {Reason.REFUSED}


def test_coordinators_clock_that_jumps_is_followed_at_the_next_ticket() -> None:
    world = FakeWorld(ticket_seconds=20)
    relay = world.add_relay()

    def jump(name: str, response: httpx.Response) -> httpx.Response:
        if world.clock.now > 1010:
            world.coordinator_skew = 100
        return response

    relay.spoil = jump
    watched(world, 60)
    assert len(relay.receipts) >= 3
    for session_id, receipts in list(relay.receipts.items())[1:]:
        assert receipts[0].signed_at >= relay.tickets[session_id].issued_at


def test_without_any_relay_the_origin_itself_is_watched_and_nobody_is_paid() -> None:
    world = FakeWorld()
    report = watched(world, 20)
    assert [part.node for part in report.sources] == [None]
    assert world.asked < 12, "it asks for a relay every three seconds"
    assert report.bytes_delivered == 0
    assert report.shown()["bytesFromOrigin"] > 15 * SEGMENT_BYTES


def test_relay_that_comes_up_later_takes_over_from_the_origin() -> None:
    world = FakeWorld()

    def come_up() -> None:
        if world.clock.now > 1010 and not world.relays:
            world.add_relay()

    whenever(world, come_up)
    report = watched(world, 30)
    assert report.sources[0].departures[0].reason is Reason.RELAY_FOUND
    assert paid(world.relays[0])[0] > 10 * SEGMENT_BYTES
    assert (report.stalls, report.segments_skipped) == (0, 0)


def test_coordinator_that_goes_down_does_not_stop_a_session_that_runs() -> None:
    world = FakeWorld(ticket_seconds=20)
    relay = world.add_relay()

    def fail(name: str, response: httpx.Response) -> httpx.Response:
        world.coordinator_is_down = True
        return response

    relay.spoil = fail
    report = watched(world, 30)
    assert report.tickets == 1
    assert world.asked < 30
    assert paid(relay)[0] == report.segments * SEGMENT_BYTES
    assert report.segments >= 30


def test_coordinator_that_is_down_from_the_beginning_is_a_retryable_error() -> None:
    world = FakeWorld(coordinator_is_down=True)
    with pytest.raises(UnreachableError) as caught:
        watched(world)
    assert caught.value.retryable


def test_stream_that_never_begins_is_an_error_that_says_what_to_check() -> None:
    world = FakeWorld()
    world.origin.respond = lambda name: problem(503, "not-started")  # type: ignore[method-assign]
    with pytest.raises(NothingPlayedError, match="check that the stream is on") as caught:
        watched(world, 5)
    assert caught.value.retryable


def test_unknown_pool_is_an_error() -> None:
    world = FakeWorld()
    transport = httpx.MockTransport(lambda _: problem(404, "unknown-pool"))
    with pytest.raises(ApiError, match="unknown-pool"):
        watch(WatchOptions("http://coordinator", 99, 5), clock=world.clock, transport=transport)


def test_stop_ends_the_watch_early_with_its_report() -> None:
    world = FakeWorld()
    world.add_relay()
    options = WatchOptions("http://coordinator", POOL_ID, 1000)
    report = watch(
        options,
        clock=world.clock,
        transport=world.transport,
        should_stop=lambda: world.clock.now > 1010,
    )
    assert 9 < report.watched_seconds < 12


def test_each_watch_has_a_key_of_its_own() -> None:
    world = FakeWorld()
    world.add_relay()
    assert watched(world, 3).viewer != watched(world, 3).viewer


def test_report_shows_no_key_and_adds_up() -> None:
    world = FakeWorld(epoch_seconds=10)
    world.add_relay()
    key = bytes([77]) * 32
    report = watch(
        WatchOptions("http://coordinator", POOL_ID, 30),
        clock=world.clock,
        transport=world.transport,
        viewer_key=key,
    )
    shown = report.shown()
    assert key.hex() not in str(shown)
    for source in shown["sources"]:
        assert source["bytesDelivered"] == sum(
            each["bytesDelivered"] for each in source["sessions"]
        )
        assert source["receiptsAccepted"] == sum(each["receipts"] for each in source["sessions"])
