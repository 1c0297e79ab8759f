"""Publishing: whole or not at all, whatever the disk and the clock do."""

import errno
from hashlib import sha256
from pathlib import Path

import pytest

from streamrp2p.durable import DiskFullError
from streamrp2p.numbers import Address
from streamrp2p.playlist_v0 import LivePlaylist, verify_playlist
from streamrp2p.typed_data import Domain
from streamrp2p_origin import publisher as publisher_module
from streamrp2p_origin.identity import Identity
from streamrp2p_origin.packager import PackedSegment
from streamrp2p_origin.publisher import Published, Publisher, Stream

IDENTITY = Identity(bytes([1]) * 32)
DOMAIN = Domain(31337, Address(bytes([0xEB]) * 20))
STREAM = Stream(7, DOMAIN, segment_seconds=2.0, window_segments=3)


class Clock:
    now = 1_700_000_000.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def publisher(tmp_path: Path, clock: Clock) -> Publisher:
    return Publisher(tmp_path, IDENTITY, STREAM, clock)


def packed(folder: Path, data: bytes) -> PackedSegment:
    path = folder / "packed.ts"
    path.write_bytes(data)
    return PackedSegment(path, 2_000_000)


def publish(publisher: Publisher, folder: Path, *contents: bytes) -> None:
    for data in contents:
        publisher.publish(packed(folder, data))


def served(publisher: Publisher) -> Published:
    assert publisher.published is not None
    return publisher.published


def verified(publisher: Publisher) -> LivePlaylist:
    return verify_playlist(
        served(publisher).playlist, pool_id=7, domain=DOMAIN, origin=IDENTITY.address
    )


def test_segment_is_vouched_for_served_and_on_disk(publisher: Publisher, tmp_path: Path) -> None:
    publish(publisher, tmp_path, b"one")
    playlist = verified(publisher)
    assert playlist.published_at == 1_700_000_000
    (segment,) = playlist.segments
    assert (segment.sha256, segment.length_bytes) == (sha256(b"one").digest(), 3)
    assert served(publisher).files[segment.name].read_bytes() == b"one"
    assert (tmp_path / "live.m3u8").read_bytes() == served(publisher).playlist
    assert not (tmp_path / "packed.ts").exists()


def test_numbers_of_a_new_folder_are_beyond_those_of_a_lost_one(
    publisher: Publisher, tmp_path: Path
) -> None:
    publish(publisher, tmp_path, b"one", b"two")
    assert [each.media_sequence for each in verified(publisher).segments] == [
        1_700_000_000,
        1_700_000_001,
    ]


def test_next_run_continues_the_numbers_and_clears_the_old_segments(
    publisher: Publisher, tmp_path: Path, clock: Clock
) -> None:
    publish(publisher, tmp_path, b"1", b"2", b"3", b"4")
    clock.now += 10_000_000
    after = Publisher(tmp_path, IDENTITY, STREAM, clock)
    assert list((tmp_path / "segments").iterdir()) == []
    after.begin_visit()
    publish(after, tmp_path, b"5")
    assert verified(after).media_sequence == 1_700_000_004
    assert b"#EXT-X-DISCONTINUITY\n" in served(after).playlist


def test_unreadable_playlist_of_an_earlier_run_is_no_obstacle(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "live.m3u8").write_bytes(b"\xff garbage")
    assert Publisher(tmp_path, IDENTITY, STREAM, clock).next_sequence == 1_700_000_000


def test_first_visit_is_no_discontinuity_and_later_ones_are(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.begin_visit()
    publish(publisher, tmp_path, b"1", b"2")
    publisher.begin_visit()
    publish(publisher, tmp_path, b"3")
    text = served(publisher).playlist.decode()
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert text.index("#EXT-X-DISCONTINUITY\n") > text.index("1700000001.ts")


@pytest.mark.parametrize("failing", ["playlist", "segment"])
def test_full_disk_changes_nothing_and_the_next_segment_takes_the_number(
    publisher: Publisher, tmp_path: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(publisher, tmp_path, b"1")
    before = publisher.published

    def full(*_: object, **__: object) -> None:
        raise (
            DiskFullError(tmp_path, "is full", "free some space")
            if failing == "playlist"
            else OSError(errno.ENOSPC, "No space left on device")
        )

    with monkeypatch.context() as patched:
        target = publisher_module if failing == "playlist" else Path
        patched.setattr(target, "write_atomically" if failing == "playlist" else "replace", full)
        with pytest.raises(DiskFullError, match="free some space"):
            publish(publisher, tmp_path, b"lost")
    assert publisher.published is before
    assert "free some space" in str(publisher.fault)
    assert not (tmp_path / "packed.ts").exists()
    assert len(list((tmp_path / "segments").iterdir())) == 1
    publish(publisher, tmp_path, b"2")
    playlist = verified(publisher)
    assert [each.sha256 for each in playlist.segments] == [
        sha256(data).digest() for data in (b"1", b"2")
    ]
    assert publisher.fault is None
    assert b"#EXT-X-DISCONTINUITY\n" in served(publisher).playlist, "a segment is missing here"


def test_clock_set_back_does_not_make_a_playlist_look_older(
    publisher: Publisher, tmp_path: Path, clock: Clock
) -> None:
    publish(publisher, tmp_path, b"1")
    clock.now -= 3600
    publish(publisher, tmp_path, b"2")
    assert verified(publisher).published_at == 1_700_000_000


def test_unchanged_window_is_signed_anew_after_two_seconds(
    publisher: Publisher, tmp_path: Path, clock: Clock
) -> None:
    publisher.keep()
    assert not (tmp_path / "live.m3u8").exists()
    publish(publisher, tmp_path, b"1")
    clock.now += 1
    publisher.keep()
    times = [verified(publisher).published_at]
    clock.now += 1
    publisher.keep()
    times.append(verified(publisher).published_at)
    assert times == [1_700_000_000, 1_700_000_002]
    assert len(verified(publisher).segments) == 1


def test_segment_that_left_the_window_stays_for_the_grace_time_and_no_longer(
    publisher: Publisher, tmp_path: Path, clock: Clock
) -> None:
    publish(publisher, tmp_path, b"1", b"2", b"3", b"4")
    path = served(publisher).files["1700000000.ts"]
    publisher.keep()
    clock.now += STREAM.grace_seconds - 0.1
    publisher.keep()
    assert path.exists()
    clock.now += 0.2
    publisher.keep()
    assert not path.exists()
    assert sorted(served(publisher).files) == [f"170000000{number}.ts" for number in (1, 2, 3)]
