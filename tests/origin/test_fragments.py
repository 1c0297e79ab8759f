"""Tracks and samples: read from what ffmpeg writes, written for players, refused when they contradict themselves."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p_origin.boxes import Box, BoxReader, box, child, children, full_box
from streamrp2p_origin.errors import MalformedMediaError, PackagingError
from streamrp2p_origin.fragments import (
    MAX_SAMPLES,
    Sample,
    fragment,
    initialization,
    read_samples,
)
from streamrp2p_origin.movie import read_movie
from streamrp2p_origin.track_reader import TrackReader
from streamrp2p_origin.weaving import Weaver
from tests.support.mp4 import audio_track, avc1, movie, mp4a, video_track


def moof(traf: bytes) -> Box:
    return Box(b"moof", box(b"traf", traf), 8)


def tfhd(flags: int = 0x020000, *fields: int) -> bytes:
    return full_box(b"tfhd", 0, flags, struct.pack(f">I{len(fields)}I", 9, *fields))


TFDT = full_box(b"tfdt", 1, 0, struct.pack(">Q", 2**33))
MDAT = Box(b"mdat", b"0123456789abcd", 8)


def test_movie_tells_codec_size_and_clock() -> None:
    track = read_movie(movie(avc1(1280, 720), 16_000))
    assert (track.kind, track.codec, track.width, track.height, track.timescale) == (
        "video", "avc1.4d401f", 1280, 720, 16_000,
    )  # fmt: skip
    assert read_movie(movie(mp4a(), 44_100)).codec == "mp4a.40.2"


@pytest.mark.parametrize(
    ("moov", "reason"),
    [
        (b"", "0 tracks instead of one"),
        (movie(avc1(), 90_000) + box(b"trak"), "2 tracks instead of one"),
        (movie(avc1(), 0), "timescale is 0"),
        (movie(box(b"hvc1", bytes(100)), 90_000), "neither H.264 nor AAC"),
        (movie(b"", 90_000), "neither H.264 nor AAC"),
        (movie(avc1(configuration=b""), 90_000), "the box avcC is missing"),
        (movie(avc1(configuration=box(b"avcC", b"\x01\x4d")), 90_000), "before its last field"),
        (movie(mp4a(full_box(b"esds", 0, 0, b"\x04\x80")), 48_000), "before its last field"),
        (movie(mp4a(full_box(b"esds", 0, 0, b"\x09\x01\x00")), 48_000), "an ES descriptor"),
        (movie(avc1(), 90_000).replace(b"mvex", b"free"), "the box mvex is missing"),
        (movie(avc1(), 90_000)[:-4], "ends within a box"),
    ],
)
def test_movie_that_lacks_something_is_refused(moov: bytes, reason: str) -> None:
    with pytest.raises(MalformedMediaError, match=reason):
        read_movie(moov)


def test_sample_takes_what_its_run_does_not_say_from_the_fragment_and_then_from_the_movie() -> None:
    run = full_box(b"trun", 0, 0, struct.pack(">I", 2))
    plain = read_samples(video_track(), moof(tfhd() + TFDT + run), MDAT)
    assert plain == [
        Sample(2**33, 1024, 0, True, b"0123456"),
        Sample(2**33 + 1024, 1024, 0, True, b"789abcd"),
    ]
    with_defaults = tfhd(0x020038, 3000, 3, 0x01010000) + TFDT + run
    assert read_samples(video_track(), moof(with_defaults), MDAT) == [
        Sample(2**33, 3000, 0, False, b"012"),
        Sample(2**33 + 3000, 3000, 0, False, b"345"),
    ]
    first_is_key = full_box(b"trun", 0, 0x4, struct.pack(">II", 2, 0x02000000))
    keys = read_samples(
        video_track(), moof(tfhd(0x020038, 3000, 3, 0x01010000) + TFDT + first_is_key), MDAT
    )
    assert [each.is_key for each in keys] == [True, False]


@pytest.mark.parametrize(
    ("traf", "reason"),
    [
        (tfhd() + full_box(b"trun", 0, 0, struct.pack(">I", 1)), "the box tfdt is missing"),
        (TFDT + full_box(b"trun", 0, 0, struct.pack(">I", 1)), "the box tfhd is missing"),
        (tfhd() + TFDT, "the box trun is missing"),
        (tfhd() + TFDT + full_box(b"trun", 0, 0, struct.pack(">I", 3)), "outside of its fragment"),
        (tfhd() + TFDT + full_box(b"trun", 0, 0, b""), "ends before its last field"),
        (
            tfhd() + TFDT + full_box(b"trun", 0, 0x200, struct.pack(">II", 2, 1)),
            "ends before its last field",
        ),
        (
            tfhd() + TFDT + full_box(b"trun", 0, 1, struct.pack(">Ii", 1, -5)),
            "outside of its fragment",
        ),
        (
            tfhd() + TFDT + full_box(b"trun", 0, 0, struct.pack(">I", MAX_SAMPLES + 1)),
            "4097 samples, 4096 are taken",
        ),
        (
            tfhd(0x1, 0, 0) + TFDT + full_box(b"trun", 0, 0, struct.pack(">I", 1)),
            "from the beginning of a file",
        ),
    ],
)
def test_fragment_that_contradicts_itself_is_refused(traf: bytes, reason: str) -> None:
    with pytest.raises(MalformedMediaError, match=reason):
        read_samples(video_track(), moof(traf), MDAT)


samples = st.lists(
    st.builds(
        Sample,
        st.just(0), st.integers(1, 10_000), st.integers(-10_000, 10_000), st.booleans(),
        st.binary(max_size=20),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@given(samples, st.integers(0, 2**40))
def test_what_is_written_is_what_is_read(drawn: list[Sample], time: int) -> None:
    run = []
    for sample in drawn:
        run.append(Sample(time, sample.duration, sample.composition, sample.is_key, sample.data))
        time += sample.duration
    reader = TrackReader()
    moov = next(each for each in children(initialization([video_track()])) if each.kind == b"moov")
    data = box(b"ftyp") + box(b"moov", moov.payload) + fragment(7, [run])
    assert list(reader.feed(data))[1:] == run


def test_gap_between_two_samples_does_not_move_what_follows() -> None:
    run = [Sample(0, 1024, 0, True, b"a"), Sample(5000, 1024, 0, True, b"b")]
    moof_box, mdat = BoxReader().feed(fragment(1, [run]))
    read = read_samples(video_track(), moof_box, mdat)
    assert [each.decode_time for each in read] == [0, 5000]


def test_pictures_and_sound_lie_in_one_fragment_one_after_the_other() -> None:
    data = fragment(1, [[Sample(0, 3000, 0, True, b"pic")], [Sample(0, 1024, 0, True, b"aac")]])
    moof_box, mdat = BoxReader().feed(data)
    assert mdat.payload == b"picaac"
    trafs = [each.payload for each in children(moof_box.payload) if each.kind == b"traf"]
    assert [child(traf, b"tfhd")[4:8] for traf in trafs] == [b"\0\0\0\1", b"\0\0\0\2"]
    offsets = [struct.unpack_from(">i", child(traf, b"trun"), 8)[0] for traf in trafs]
    assert [data[offset : offset + 3] for offset in offsets] == [b"pic", b"aac"]


def test_header_holds_both_tracks_under_new_ids() -> None:
    moov = child(initialization([video_track(), audio_track()]), b"moov")
    tracks = [each.payload for each in children(moov) if each.kind == b"trak"]
    assert [struct.unpack_from(">I", child(trak, b"tkhd"), 12)[0] for trak in tracks] == [1, 2]
    defaults = [each.payload for each in children(child(moov, b"mvex"))]
    assert [struct.unpack_from(">I", trex, 4)[0] for trex in defaults] == [1, 2]
    assert child(moov, b"mvhd")[-4:] == b"\0\0\0\3"


def test_media_before_its_description_is_refused() -> None:
    with pytest.raises(MalformedMediaError, match="before what describes it"):
        list(TrackReader().feed(fragment(1, [[Sample(0, 1, 0, True, b"")]])))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for stream in (data, box(b"moov", data), box(b"moov", movie(avc1(), 90_000)) + data):
        with suppress(MalformedMediaError):
            list(TrackReader().feed(stream))


@given(st.data())
def test_any_damage_to_media_is_read_or_refused(data: st.DataObject) -> None:
    key = Sample(0, 1, 0, True, b"123")
    whole = bytearray(
        box(b"moov", movie(avc1(), 90_000)) + fragment(1, [[key]]) + fragment(2, [[key]])
    )
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    weaver = Weaver(["source"], 2.0, 0.5, has_audio=False)
    with suppress(PackagingError):
        for item in TrackReader().feed(bytes(whole)):
            weaver.add_picture("source", item)
        weaver.end()


def test_times_that_no_fragment_can_hold_are_refused() -> None:
    with pytest.raises(MalformedMediaError, match="too far apart"):
        fragment(1, [[Sample(0, 1, 0, True, b""), Sample(2**40, 1, 0, True, b"")]])
