"""Publishing: vouched for and in step, whatever the disk, the clock and the encoder do."""

import errno
from hashlib import sha256
from pathlib import Path

import pytest

from streamrp2p.durable import StorageError
from streamrp2p.playlist import matches, merge
from streamrp2p_origin import numbering, rendition, store
from streamrp2p_origin.errors import PackagingError
from tests.support.publishing import START, Clock, Origin


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def origin(tmp_path: Path, clock: Clock) -> Origin:
    origin = Origin(tmp_path, clock)
    origin.begin()
    return origin


async def test_everything_that_a_playlist_names_is_there_and_matches(origin: Origin) -> None:
    origin.segment(b"one")
    origin.part("source", b"two")
    playlist = origin.playlist()
    assert [each.name for each in playlist.objects()] == [
        "source-1700000000.init.mp4",
        "source-1700000000.0.m4s",
        "source-1700000000.1.m4s",
        "source-1700000000.m4s",
        "source-1700000001.0.m4s",
    ]
    for named in playlist.objects():
        data = await origin.publisher.read(named.name)
        assert data is not None
        assert matches(named, data)
    assert playlist.segments[0].object.sha256 == sha256(b"one0one1").digest()
    assert playlist.published_at == START


def test_part_is_listed_at_once_and_its_segment_when_it_is_whole(origin: Origin) -> None:
    origin.part("source", b"a")
    before = origin.playlist()
    assert (before.segments, [each.is_independent for each in before.parts]) == ((), [True])
    origin.part("source", b"b")
    origin.end_segment("source")
    after = origin.playlist()
    assert (len(after.segments), after.parts) == (1, ())
    assert [each.is_independent for each in after.segments[0].parts] == [True, False]


def test_first_visit_is_no_discontinuity_and_later_ones_are(origin: Origin) -> None:
    origin.segment(b"1")
    origin.publisher.end_visit()
    origin.begin(init=b"other")
    origin.part("source", b"2")
    origin.part("source", b"3")
    assert origin.text().count(b"#EXT-X-DISCONTINUITY\n") == 1
    origin.end_segment("source")
    playlist = origin.playlist()
    assert [each.is_discontinuity for each in playlist.segments] == [False, True]
    maps = [each.map.name for each in playlist.segments if each.map]
    assert maps == ["source-1700000000.init.mp4", "source-1700000001.init.mp4"]


def test_discontinuities_that_left_the_window_are_counted(origin: Origin) -> None:
    for _ in range(6):
        origin.segment(b"x")
        origin.publisher.end_visit()
        origin.begin()
    playlist = origin.playlist()
    assert len(playlist.segments) == 4
    # Segments 2 to 5 remain; the third, fourth, fifth and sixth visit begin in the playlist.
    assert playlist.discontinuity_sequence == 1


def test_visit_that_breaks_off_leaves_a_short_segment_and_the_renditions_in_step(
    tmp_path: Path, clock: Clock
) -> None:
    origin = Origin(tmp_path, clock, "source", "240p")
    origin.begin()
    origin.segment(b"1")
    origin.part("source", b"2")
    origin.publisher.end_visit()
    origin.begin()
    origin.segment(b"3")
    source, small = origin.playlist("source"), origin.playlist("240p")
    assert [each.duration_micros for each in source.segments] == [2_000_000, 1_000_000, 2_000_000]
    # No number may be missing, so the small one gives up what came before the gap.
    assert [each.media_sequence for each in small.segments] == [START + 2]
    assert (source.next_sequence, small.next_sequence) == (START + 3, START + 3)
    assert small.discontinuity_sequence == 0
    assert small.segments[0].is_discontinuity


def test_visit_that_brought_nothing_is_none(origin: Origin) -> None:
    origin.segment(b"1")
    origin.publisher.end_visit()
    for _ in range(3):
        origin.begin()
        origin.publisher.end_visit()
    origin.begin()
    origin.segment(b"2")
    assert origin.text().count(b"#EXT-X-DISCONTINUITY\n") == 1
    assert origin.playlist().media_sequence == START


def test_renditions_that_lost_step_end_the_visit(tmp_path: Path, clock: Clock) -> None:
    origin = Origin(tmp_path, clock, "source", "240p")
    origin.begin()
    origin.part("source", b"1")
    with pytest.raises(PackagingError, match="lost step"):
        origin.part("240p", b"1", start_micros=10_040_000)


def test_segment_larger_than_its_readers_take_ends_the_visit(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendition, "MAX_OBJECT_BYTES", 10)
    origin.part("source", b"12345")
    with pytest.raises(PackagingError, match="lower the encoder's bit rate"):
        origin.part("source", b"123456")
    origin.publisher.end_visit()
    assert [each.object.length_bytes for each in origin.playlist().segments] == [5]


def test_multivariant_playlist_waits_for_every_rendition_and_tells_what_was_measured(
    tmp_path: Path, clock: Clock
) -> None:
    origin = Origin(tmp_path, clock, "source", "240p")
    origin.begin()
    origin.part("source", bytes(1000))
    assert origin.publisher.multivariant is None
    origin.part("240p", bytes(100))
    first = origin.multivariant()
    assert [each.rendition for each in first.variants] == ["source", "240p"]
    assert first.variants[0].bandwidth_bits_per_second == 8000
    assert (first.variants[0].width, first.variants[0].height) == (640, 360)
    assert first.variants[0].codecs == "avc1.4d401f,mp4a.40.2"
    assert first.variants[0].frame_rate_millihertz == 30_000
    origin.part("source", bytes(3000))
    origin.end_segment("source")
    origin.part("source", bytes(500))
    origin.part("source", bytes(500))
    origin.end_segment("source")
    source = origin.multivariant().variants[0]
    assert source.bandwidth_bits_per_second == 16_000
    assert source.average_bandwidth_bits_per_second == 10_000


def test_delta_update_leaves_out_what_lies_further_back_than_six_targets(
    tmp_path: Path, clock: Clock
) -> None:
    origin = Origin(tmp_path, clock, dvr_seconds=60)
    origin.begin()
    full = None
    for number in range(12):
        origin.segment(b"%d" % number)
        delta = origin.playlist(delta=True)
        assert delta.skipped_segments == max(0, number + 1 - 6)
        assert delta.media_sequence == START
        if full is not None:
            assert merge(full, delta) == origin.playlist()
        full = origin.playlist()
    assert len(origin.text(delta=True)) < len(origin.text())


def test_next_run_continues_the_numbers_and_clears_the_old_media(
    origin: Origin, tmp_path: Path, clock: Clock
) -> None:
    origin.segment(b"1")
    origin.part("source", b"2")
    # As after kill -9: nothing was closed.
    clock.now += 10_000_000
    after = Origin(tmp_path, clock)
    assert list((tmp_path / store.MEDIA_FOLDER).iterdir()) == []
    after.begin()
    after.segment(b"3")
    assert START + 2 <= after.playlist().media_sequence < START + 1000
    assert after.playlist().segments[0].is_discontinuity
    assert after.playlist().discontinuity_sequence > origin.playlist().discontinuity_sequence


@pytest.mark.parametrize("content", [b"", b"\xff garbage", b"[]", b'{"nextSequence": "x"}'])
def test_unreadable_numbers_of_an_earlier_run_are_no_obstacle(
    tmp_path: Path, clock: Clock, content: bytes
) -> None:
    (tmp_path / numbering.NUMBERS_FILE).write_bytes(content)
    assert Origin(tmp_path, clock).publisher.next_sequence == START


async def test_full_disk_shortens_the_window_and_stops_nothing(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = Origin(tmp_path, clock, "source", "240p", dvr_seconds=60)
    origin.begin()
    origin.segment(b"1")
    await origin.publisher.keep()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "MAX_PENDING_BYTES", 4 * 4)
    with monkeypatch.context() as patched:
        patched.setattr(store, "_write", full)
        for number in range(2, 7):
            origin.segment(b"%d" % number)
            await origin.publisher.keep()
        assert "free some space" in str(origin.publisher.fault)
        for name in origin.renditions:
            playlist = origin.playlist(name)
            assert playlist.next_sequence == START + 6
        origin.segment(b"7")
        listed = origin.playlist("source")
        # Memory has room for two segments of each rendition; the newest came after the last look.
        assert [each.media_sequence for each in listed.segments] == [
            START + 4,
            START + 5,
            START + 6,
        ]
        for named in listed.objects():
            assert await origin.publisher.read(named.name) is not None
    await origin.publisher.keep()
    assert origin.publisher.fault is None
    assert b"#EXT-X-DISCONTINUITY\n" not in origin.text()


async def test_disk_that_takes_no_numbers_any_more_ends_the_visit_before_one_is_given_twice(
    origin: Origin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError(tmp_path, "is full", "free some space")

    monkeypatch.setattr(numbering, "write_atomically", full)
    for number in range(numbering.RESERVED):
        origin.segment(b"%d" % number)
    with pytest.raises(StorageError, match="free some space"):
        origin.segment(b"one too many")
    assert origin.playlist().next_sequence == START + numbering.RESERVED


def test_clock_set_back_does_not_make_a_playlist_look_older(origin: Origin, clock: Clock) -> None:
    origin.part("source", b"1")
    clock.now -= 3600
    origin.part("source", b"2")
    assert origin.playlist().published_at == START


async def test_unchanged_playlists_are_signed_anew_after_two_seconds(
    origin: Origin, clock: Clock
) -> None:
    await origin.publisher.keep()
    assert origin.publisher.multivariant is None
    origin.part("source", b"1")
    times = []
    for _ in range(3):
        clock.now += 1
        await origin.publisher.keep()
        times.append((origin.playlist().published_at, origin.multivariant().published_at))
    assert times == [(START, START), (START + 2, START + 2), (START + 2, START + 2)]


async def test_objects_stay_for_the_grace_time_and_no_longer(
    origin: Origin, clock: Clock, tmp_path: Path
) -> None:
    for number in range(6):
        origin.segment(b"%d" % number)
    await origin.publisher.keep()
    part, segment = f"source-{START}.0.m4s", f"source-{START}.m4s"
    assert segment not in [each.name for each in origin.playlist().objects()]
    clock.now += 7.9
    await origin.publisher.keep()
    assert await origin.publisher.read(segment) == b"0001"
    clock.now += 0.2
    await origin.publisher.keep()
    assert await origin.publisher.read(segment) is None
    assert not (tmp_path / store.MEDIA_FOLDER / segment).exists()
    assert await origin.publisher.read(part) == b"00"
    clock.now += 16
    await origin.publisher.keep()
    assert await origin.publisher.read(part) is None
    assert len(list((tmp_path / store.MEDIA_FOLDER).iterdir())) == 4


async def test_thumbnail_is_listed_with_its_segment_in_all_renditions(
    tmp_path: Path, clock: Clock
) -> None:
    origin = Origin(tmp_path, clock, "source", "240p")
    origin.begin()
    origin.segment(b"1")
    origin.part("source", b"2")
    origin.publisher.add_thumbnail(START, b"first")
    origin.publisher.add_thumbnail(START + 1, b"second")
    origin.publisher.add_thumbnail(START - 9, b"too late")
    origin.part("source", b"3")
    origin.end_segment("source")
    pictures = [each.thumbnail for each in origin.playlist("source").segments]
    assert [each.name for each in pictures if each] == [
        f"thumb-{START}.jpg",
        f"thumb-{START + 1}.jpg",
    ]
    assert await origin.publisher.read(f"thumb-{START + 1}.jpg") == b"second"
    origin.part("240p", b"2")
    assert [bool(each.thumbnail) for each in origin.playlist("240p").segments] == [True]


def test_date_and_time_of_the_first_picture_stand_before_it(origin: Origin) -> None:
    origin.part("source", b"1")
    # The first part of a second has just ended.
    assert b"#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:19.500Z\n" in origin.text()
