"""The window's plain text, and what leaves it."""

import pytest

from streamrp2p.numbers import Hash
from streamrp2p.playlist import Edge, MediaObject, Part
from streamrp2p_origin.window import MAX_SEGMENTS, LiveWindow, Visit


def named(name: str) -> MediaObject:
    return MediaObject(name, 10, Hash(bytes(32)))


def window(*, length_seconds: float = 600, visit: int = 0) -> LiveWindow:
    empty = LiveWindow("240p", round(length_seconds * 1e6), 40, 2, 500_000)
    return empty.begin_visit(Visit(visit, named("map")), 40)


def grown(window: LiveWindow, *seconds: float) -> LiveWindow:
    for each in seconds:
        number = window.next_sequence
        part = Part(named(f"{number}.0"), round(each * 1e6), True)
        window = window.add_part(part, f"moment {number}").end_segment(named(str(number)))
    return window


def test_text_of_a_window_with_a_segment_in_progress() -> None:
    live = grown(window(), 2, 2, 2, 2).begin_visit(Visit(1, named("map2")), 44)
    live = live.add_part(Part(named("44.0"), 500_000, True), "moment 44")
    live = live.add_part(Part(named("44.1"), 480_000, False), "moment 44")
    assert live.text() == (
        "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAMRP2P-RENDITION:240p\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,HOLD-BACK=6,PART-HOLD-BACK=6.000000\n"
        "#EXT-X-PART-INF:PART-TARGET=2.000000\n"
        "#EXT-X-MEDIA-SEQUENCE:40\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
        '#EXT-X-MAP:URI="map"\n#EXT-X-PROGRAM-DATE-TIME:moment 40\n'
        "#EXTINF:2.000000,\n40\n"
        '#EXT-X-PART:DURATION=2.000000,URI="41.0",INDEPENDENT=YES\n#EXTINF:2.000000,\n41\n'
        '#EXT-X-PART:DURATION=2.000000,URI="42.0",INDEPENDENT=YES\n#EXTINF:2.000000,\n42\n'
        '#EXT-X-PART:DURATION=2.000000,URI="43.0",INDEPENDENT=YES\n#EXTINF:2.000000,\n43\n'
        '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="map2"\n#EXT-X-PROGRAM-DATE-TIME:moment 44\n'
        '#EXT-X-PART:DURATION=0.500000,URI="44.0",INDEPENDENT=YES\n'
        '#EXT-X-PART:DURATION=0.480000,URI="44.1"\n'
    )
    assert live.edge == Edge(44, 2, 1, 2_000_000)


def test_targets_cover_every_segment_and_part_and_never_shrink() -> None:
    live, targets = window(), []
    for seconds in (2.4, 2.5, 7.9, 1.0):
        live = grown(live, seconds)
        targets.append((live.target_seconds, live.part_target_micros))
    assert targets == [(2, 2_400_000), (3, 2_500_000), (8, 7_900_000), (8, 7_900_000)]


def test_old_segments_leave_by_their_length_but_three_stay() -> None:
    assert grown(window(length_seconds=6), 2, 2, 2, 2).media_sequence == 41
    long = grown(window(length_seconds=6), 5, 5, 5, 5)
    assert (long.media_sequence, len(long.segments)) == (41, 3)


def test_playlist_never_lists_more_than_its_readers_take() -> None:
    live = grown(window(length_seconds=1e6), 2)
    live = LiveWindow("240p", 10**12, 40, 2, 500_000, live.segments * MAX_SEGMENTS, live.visit)
    assert len(grown(live, 2).segments) == MAX_SEGMENTS


def test_oldest_segments_can_be_given_up() -> None:
    live = grown(window(), 2, 2, 2)
    assert live.without_before(42).media_sequence == 42
    assert live.without_before(0) == live
    assert live.without_before(99).segments == ()
    assert live.without_before(99).next_sequence == 43


def test_segment_cannot_end_before_it_began() -> None:
    with pytest.raises(ValueError, match="no segment is in progress"):
        window().end_segment(named("x"))


@pytest.mark.parametrize(("first_visit", "sequence"), [(0, 0), (1, 0), (7, 6)])
def test_discontinuities_before_the_oldest_segment_are_those_of_the_visits_before(
    first_visit: int, sequence: int
) -> None:
    empty = window(visit=first_visit)
    header = f"#EXT-X-DISCONTINUITY-SEQUENCE:{sequence}\n"
    assert header in empty.text()
    assert header in grown(empty, 2, 2).text()
    assert ("#EXT-X-DISCONTINUITY\n" in grown(empty, 2).text()) == (first_visit > 0)
    assert f"SEQUENCE:{first_visit}\n" in grown(empty, 2, 2).without_before(41).text()
