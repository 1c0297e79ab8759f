"""The playback clock: deadlines, stalls, pauses, and clocks that jump."""

from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.viewer.playback import Arrival, PlaybackClock

S = 1_000_000
ON_TIME = Arrival(is_on_time=True, stall_micros=0)


def started(at: int = 0) -> PlaybackClock:
    """Playing since `at` with two seconds of media there."""
    playback = PlaybackClock(2 * S)
    playback.arrived(2 * S, at)
    return playback


def test_segments_before_playback_begins_are_on_time_however_long_they_take() -> None:
    playback = PlaybackClock(3 * S)
    assert playback.arrived(2 * S, 90 * S) == ON_TIME
    began = [playback.is_playing]
    assert playback.buffered_micros(95 * S) == 2 * S
    assert playback.arrived(2 * S, 99 * S) == ON_TIME
    assert [*began, playback.is_playing] == [False, True]
    assert playback.buffered_micros(100 * S) == 3 * S


def test_segment_is_on_time_at_its_very_deadline_and_late_after_it() -> None:
    assert started().arrived(2 * S, 2 * S) == ON_TIME
    assert started().arrived(2 * S, 2 * S + 1) == Arrival(is_on_time=False, stall_micros=1)


def test_stall_is_charged_to_the_late_segment_alone() -> None:
    playback = started()
    assert playback.arrived(2 * S, 5 * S) == Arrival(is_on_time=False, stall_micros=3 * S)
    assert playback.arrived(2 * S, 7 * S) == ON_TIME
    assert playback.buffered_micros(7 * S) == 2 * S
    assert (playback.stalls, playback.stalled_micros(7 * S)) == (1, 3 * S)


def test_stall_that_still_lasts_counts_up_to_now() -> None:
    playback = started()
    assert not playback.is_dry(S)
    assert playback.is_dry(6 * S)
    assert playback.stalled_micros(6 * S) == 4 * S


def test_source_that_pauses_costs_no_relay_its_on_time_bytes() -> None:
    playback = started()
    playback.pause(2 * S)
    assert playback.arrived(S, 60 * S) == ON_TIME
    assert playback.arrived(S, 61 * S) == ON_TIME
    assert playback.is_playing
    assert playback.stalled_micros(61 * S) == 0
    assert playback.paused_micros(61 * S) == 59 * S
    assert playback.arrived(S, 63 * S + 1) == Arrival(is_on_time=False, stall_micros=1)


def test_pause_before_playback_begins_changes_nothing() -> None:
    playback = PlaybackClock(2 * S)
    playback.arrived(S, 0)
    playback.pause(S)
    assert playback.buffered_micros(S) == S
    assert playback.paused_micros(9 * S) == 0


def test_clock_set_back_stands_still_until_it_catches_up() -> None:
    playback = started(at=100 * S)
    assert playback.arrived(2 * S, 101 * S) == ON_TIME
    assert playback.arrived(2 * S, 3 * S) == ON_TIME
    assert playback.buffered_micros(3 * S) == 5 * S
    assert playback.stalled_micros(3 * S) == 0
    assert playback.buffered_micros(102 * S) == 4 * S


def test_clock_jump_ahead_makes_one_segment_late_and_not_those_after_it() -> None:
    playback = started()
    assert playback.arrived(2 * S, 3600 * S).is_on_time is False
    assert playback.arrived(2 * S, 3601 * S) == ON_TIME
    assert playback.arrived(2 * S, 3603 * S) == ON_TIME


@given(
    st.lists(st.tuples(st.integers(1, 10 * S), st.integers(-S, 15 * S)), max_size=40),
    st.integers(0, 5 * S),
)
def test_time_is_either_played_stalled_or_still_buffered(
    arrivals: list[tuple[int, int]], startup: int
) -> None:
    playback, now, latest, began_at, media = PlaybackClock(startup), 0, 0, None, 0
    for duration, step in arrivals:
        now += step
        latest = max(latest, now)
        playback.arrived(duration, now)
        media += duration
        if began_at is None and playback.is_playing:
            began_at = latest
    if began_at is None:
        assert playback.buffered_micros(now) == media
        assert playback.stalled_micros(now) == 0
    else:
        played = media - playback.buffered_micros(now)
        assert latest - began_at == played + playback.stalled_micros(now)
