"""The live window: numbers that only rise, and the playlist's text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.numbers import Hash
from streamrp2p_origin.window import LiveWindow, PublishedSegment, continuing


def segment(number: int, *, seconds: float = 2, begins: bool = False) -> PublishedSegment:
    micros = round(seconds * 1_000_000)
    return PublishedSegment(f"{number}.ts", micros, 10, Hash(bytes(32)), begins)


def test_playlist_lists_the_newest_segments_and_counts_what_left() -> None:
    window = LiveWindow(3, 40, 2)
    for number, begins in ((40, False), (41, True), (42, False), (43, False), (44, True)):
        window = window.add(segment(number, begins=begins))
    assert window.text() == (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-MEDIA-SEQUENCE:42\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"
        "#EXTINF:2.000000,\n42.ts\n#EXTINF:2.000000,\n43.ts\n"
        "#EXT-X-DISCONTINUITY\n#EXTINF:2.000000,\n44.ts\n"
    )
    assert window.next_sequence == 45


def test_target_duration_covers_every_segment_rounded_and_never_shrinks() -> None:
    window = LiveWindow(2, 0, 2)
    targets = []
    for seconds in (2.4, 2.5, 7.9, 1.0, 1.0, 1.0):
        window = window.add(segment(window.next_sequence, seconds=seconds))
        targets.append(window.target_seconds)
    assert targets == [2, 3, 8, 8, 8, 8]


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 6), st.integers(0, 10**9))
def test_next_run_continues_both_numbers(begins: list[bool], size: int, first: int) -> None:
    window = LiveWindow(size, first, 2)
    for number, each in enumerate(begins):
        window = window.add(segment(first + number, begins=each))
    after = continuing(window.text(), size, 2)
    assert after.segments == ()
    assert after.media_sequence == after.next_sequence == first + len(begins)
    assert after.discontinuity_sequence == sum(begins)
    assert after.target_seconds == window.target_seconds


@pytest.mark.parametrize("text", ["", "#EXTM3U\n", "#EXT-X-MEDIA-SEQUENCE:x\n", "\x00" * 50])
def test_text_without_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no media sequence"):
        continuing(text, 10, 2)
