"""Cutting: segments at key frames, parts on a grid, sound with its pictures, the same in all renditions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p_origin.boxes import Box, BoxReader, box, children
from streamrp2p_origin.cutting import MAX_PENDING_BYTES, Cut, CutPart, Cutter, SegmentEnd
from streamrp2p_origin.errors import PackagingError
from streamrp2p_origin.fragments import Sample, read_samples
from tests.support.mp4 import audio_track, picture, sound, video_track

SECOND = 90_000


def pictures(
    seconds: float, *, key_seconds: float = 2.0, per_second: int = 30, begin: int = 0, delay: int = 0
) -> list[Sample]:  # fmt: skip
    """Return an encoder's pictures; `delay` is the time, in ticks, by which they are decoded before they are shown."""
    duration = SECOND // per_second
    every = round(key_seconds * per_second)
    return [
        picture(begin + number * duration - delay, duration, key=number % every == 0, composition=delay)
        for number in range(round(seconds * per_second))
    ]  # fmt: skip


def silent(segment_seconds: float = 2.0, part_seconds: float = 0.5) -> Cutter:
    return Cutter(video_track(), None, segment_seconds, part_seconds)


def cut(cutter: Cutter, samples: list[Sample]) -> list[Cut]:
    return [each for sample in samples for each in cutter.add_picture(sample)]


def shape(cuts: list[Cut]) -> list[list[int]]:
    """Return the parts' durations in milliseconds, a list for each segment, the last of which may be in progress."""
    segments: list[list[int]] = [[]]
    for each in cuts:
        if isinstance(each, SegmentEnd):
            segments.append([])
        else:
            segments[-1].append(each.duration_micros // 1000)
    return segments


def runs(part: CutPart) -> list[list[Sample]]:
    """Read a part's runs back."""
    moof, mdat = BoxReader().feed(part.data)
    found = []
    for each in children(moof.payload):
        if each.kind == b"traf":
            traf = box(b"traf", each.payload)
            alone = Box(b"moof", traf, moof.length_bytes - len(traf))
            found.append(read_samples(video_track(), alone, mdat))
    return found


def test_parts_of_half_a_second_make_segments_at_key_frames() -> None:
    cuts = cut(silent(), pictures(4.5))
    assert shape(cuts) == [[500] * 4, [500] * 4, [500]]
    parts = [each for each in cuts if isinstance(each, CutPart)]
    assert [each.is_independent for each in parts] == [True, *[False] * 3] * 2 + [True]
    assert [each.pictures for each in parts] == [15] * 9
    assert [each.segment_start_micros for each in parts] == [0] * 4 + [2_000_000] * 4 + [4_000_000]


def test_part_is_there_with_its_last_picture_and_the_segments_end_with_the_next_key_frame() -> None:
    cutter, stream = silent(), pictures(3)
    assert cut(cutter, stream[:14]) == []
    assert shape(cut(cutter, stream[14:15])) == [[500]]
    assert shape(cut(cutter, stream[15:60])) == [[500] * 3]
    assert cut(cutter, stream[60:61]) == [SegmentEnd()]


def test_parts_lie_on_a_grid_whatever_the_frame_rate() -> None:
    assert shape(cut(silent(), pictures(2.04, per_second=25))) == [[520, 480, 520, 480], []]
    assert shape(cut(silent(), pictures(3, per_second=1))) == [[1000, 1000], [1000]]


def test_key_frames_closer_than_a_segment_do_not_cut_it() -> None:
    cuts = cut(silent(), pictures(2.5, key_seconds=0.5))
    assert shape(cuts) == [[500] * 4, [500]]
    assert all(each.is_independent for each in cuts if isinstance(each, CutPart))


def test_key_frame_that_comes_a_little_early_ends_the_segment() -> None:
    early = [*pictures(2)[:-1], *pictures(1, begin=59 * 3000)]
    assert shape(cut(silent(), early)) == [[500, 500, 500, 466], [500, 500]]


def test_segment_without_its_key_frame_goes_on_until_there_is_one() -> None:
    assert shape(cut(silent(), pictures(5.5, key_seconds=5))) == [[500] * 10, [500]]


def test_stream_without_key_frames_is_ended_with_what_to_do() -> None:
    with pytest.raises(PackagingError, match="no key frame for 30 s; set its key frame interval"):
        cut(silent(), pictures(31, key_seconds=60, per_second=5))


def test_pictures_before_the_first_key_frame_are_left_out() -> None:
    broken = [picture(0), picture(3000), *pictures(0.5, begin=6000)]
    (part,) = cut(silent(), broken)
    assert isinstance(part, CutPart)
    assert (part.segment_start_micros, part.duration_micros) == (66_666, 500_000)


def test_reordered_pictures_are_cut_like_those_that_are_not() -> None:
    plain = cut(silent(), pictures(4.1, begin=SECOND))
    reordered = cut(silent(), pictures(4.1, begin=SECOND, delay=6000))
    assert shape(plain) == shape(reordered)
    assert [each.segment_start_micros for each in plain if isinstance(each, CutPart)] == [
        each.segment_start_micros for each in reordered if isinstance(each, CutPart)
    ]


def test_sound_goes_with_the_pictures_it_belongs_to_whichever_comes_first() -> None:
    stream, blocks = pictures(2.5), [sound(number * 1024) for number in range(118)]
    sound_first = Cutter(video_track(), audio_track(), 2.0, 0.5)
    for block in blocks:
        assert sound_first.add_sound(block) == []
    cuts = cut(sound_first, stream)
    picture_first = Cutter(video_track(), audio_track(), 2.0, 0.5)
    # Not all: it does not wait for sound that is a second behind.
    assert cut(picture_first, stream[:30]) == []
    later = [each for block in blocks for each in picture_first.add_sound(block)]
    assert cuts == later + cut(picture_first, stream[30:])
    parts = [each for each in cuts if isinstance(each, CutPart)]
    lengths = [len(runs(part)[1]) for part in parts]
    # 0.5 s are 23.4 blocks; each goes with the part in which it begins.
    assert lengths == [24, 23, 24, 23, 24]


def test_sound_lies_in_the_same_part_in_all_renditions() -> None:
    blocks = [sound(number * 1024) for number in range(200)]

    def sounds(delay: int) -> list[list[int]]:
        cutter = Cutter(video_track(), audio_track(), 2.0, 0.5)
        for block in blocks:
            cutter.add_sound(block)
        cuts = cut(cutter, pictures(3, begin=SECOND, delay=delay))
        return [
            [each.decode_time for each in runs(part)[1]]
            for part in cuts
            if isinstance(part, CutPart)
        ]

    assert sounds(0) == sounds(6000)


@pytest.mark.parametrize("is_early", [True, False])
def test_sound_before_the_first_picture_is_left_out_whenever_it_comes(is_early: bool) -> None:
    cutter = Cutter(video_track(), audio_track(), 2.0, 0.5)
    stream, blocks = pictures(0.5, begin=SECOND), [sound(number * 1024) for number in range(80)]
    cuts = [] if is_early else cut(cutter, stream)
    cuts += [each for block in blocks for each in cutter.add_sound(block)]
    cuts += cut(cutter, stream) if is_early else []
    (part,) = cuts
    assert isinstance(part, CutPart)
    assert runs(part)[1][0].decode_time == 47 * 1024


def test_sound_that_stays_away_is_not_waited_for_longer_than_a_second() -> None:
    cutter = Cutter(video_track(), audio_track(), 2.0, 0.5)
    assert cut(cutter, pictures(1.5)) == []
    assert shape(cut(cutter, pictures(1.6)[45:])) == [[500]]


def test_end_gives_what_is_left() -> None:
    cutter = Cutter(video_track(), audio_track(), 2.0, 0.5)
    cut(cutter, pictures(0.7))
    cutter.add_sound(sound(0))
    assert shape(cutter.end()) == [[500, 200], []]
    assert silent().end() == []


def test_timestamps_that_go_back_are_refused() -> None:
    cutter = silent()
    cut(cutter, pictures(1))
    with pytest.raises(PackagingError, match="timestamps go back"):
        cutter.add_picture(picture(0, key=True))


@pytest.mark.parametrize("leap", [picture(91 * SECOND, key=True), picture(90_000, 2**31, key=True)])
def test_timestamps_that_leap_are_refused(leap: Sample) -> None:
    cutter = silent()
    cut(cutter, pictures(1))
    with pytest.raises(PackagingError, match="timestamps leap forward"):
        cutter.add_picture(leap)


def test_memory_for_what_is_pending_is_bounded() -> None:
    cutter = silent()
    big = picture(0, 1, key=True, size=MAX_PENDING_BYTES // 2 + 1)
    cutter.add_picture(big)
    with pytest.raises(PackagingError, match="lower the encoder's bit rate"):
        cutter.add_picture(picture(1, 1, size=MAX_PENDING_BYTES // 2))


@given(
    st.lists(st.tuples(st.integers(1, 30_000), st.booleans()), min_size=1, max_size=120),
    st.sampled_from([0.5, 1.0, 2.0]),
    st.sampled_from([0, 3000, 6000]),
)
def test_nothing_is_lost_and_every_rendition_is_cut_alike(
    drawn: list[tuple[int, bool]], part_seconds: float, delay: int
) -> None:
    time = 0
    stream: list[Sample] = []
    delayed: list[Sample] = []
    for duration, is_key in drawn:
        begins = is_key or not stream
        stream.append(Sample(time, duration, 0, begins, b"x"))
        delayed.append(Sample(time + 10_000 - delay, duration, delay, begins, b"xyz"))
        time += duration
    first, second = silent(2.0, part_seconds), silent(2.0, part_seconds)
    cuts, other = cut(first, stream) + first.end(), cut(second, delayed) + second.end()
    kept = [sample for each in cuts if isinstance(each, CutPart) for sample in runs(each)[0]]
    assert [each.decode_time for each in kept] == [each.decode_time for each in stream]
    assert [len(segment) for segment in shape(cuts)] == [len(segment) for segment in shape(other)]
    assert cuts[-1] == SegmentEnd()
