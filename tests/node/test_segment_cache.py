"""The cache is bounded, survives restarts, and never serves what it cannot vouch for."""

import errno
import os
from hashlib import sha256
from pathlib import Path

import pytest

from streamrp2p_node.segment_cache import SegmentCache
from tests.node.conftest import World
from tests.node.test_relay import get, open_session

SEGMENTS = [bytes([number]) * 100 for number in range(5)]
DIGESTS = [sha256(data).digest() for data in SEGMENTS]


def cache_in(folder: Path, *, max_bytes: int = 300, memory_bytes: int = 0) -> SegmentCache:
    return SegmentCache(folder, max_bytes=max_bytes, memory_bytes=memory_bytes)


def put(cache: SegmentCache, *numbers: int) -> None:
    for number in numbers:
        cache.put(DIGESTS[number], SEGMENTS[number])


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_disk_never_holds_more_than_its_bound(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    put(cache, 0, 1, 2)
    assert cache.get(DIGESTS[0]) == SEGMENTS[0]
    put(cache, 3)
    assert files(tmp_path) == {DIGESTS[number].hex() for number in (0, 2, 3)}
    assert (cache.disk_bytes, cache.disk_segments) == (300, 3)
    assert cache.get(DIGESTS[1]) is None


def test_a_restart_finds_what_was_cached_and_drops_the_oldest_beyond_a_smaller_bound(
    tmp_path: Path,
) -> None:
    cache = cache_in(tmp_path)
    put(cache, 0, 1, 2)
    for age, number in enumerate((2, 0, 1)):
        os.utime(tmp_path / DIGESTS[number].hex(), (age, age))
    again = cache_in(tmp_path, max_bytes=200)
    assert again.get(DIGESTS[2]) is None
    assert again.get(DIGESTS[0]) == SEGMENTS[0]
    assert again.get(DIGESTS[1]) == SEGMENTS[1]
    assert files(tmp_path) == {DIGESTS[0].hex(), DIGESTS[1].hex()}


def test_unfinished_files_of_a_crash_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".1234.tmp").write_bytes(b"half")
    cache_in(tmp_path)
    assert files(tmp_path) == set()


@pytest.mark.parametrize("damage", [b"", SEGMENTS[0][:-1], b"\xff" + SEGMENTS[0][1:]])
def test_a_damaged_file_is_a_miss_and_is_removed(tmp_path: Path, damage: bytes) -> None:
    put(cache_in(tmp_path), 0)
    (tmp_path / DIGESTS[0].hex()).write_bytes(damage)
    again = cache_in(tmp_path)
    assert again.get(DIGESTS[0]) is None
    assert files(tmp_path) == set()
    assert again.disk_bytes == 0


def test_memory_answers_without_the_disk_and_is_bounded_too(tmp_path: Path) -> None:
    cache = cache_in(tmp_path, max_bytes=0, memory_bytes=200)
    put(cache, 0, 1, 2)
    assert [cache.get(digest) for digest in DIGESTS[:3]] == [None, SEGMENTS[1], SEGMENTS[2]]
    assert files(tmp_path) == set()


async def test_a_full_disk_is_warned_of_and_the_node_serves_from_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await open_session(world)

    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert (await get(world, "source-0.m4s", ticket)).content == world.origin.segment(0)
        assert (await get(world, "source-0.m4s", ticket)).content == world.origin.segment(0)
    assert world.origin.requests.count("source-0.m4s") == 1
    status = (await world.http.get("/v1/status")).json()
    assert status["cache"]["hasFullDisk"] is True
    assert (status["cache"]["diskBytes"], status["cache"]["memoryBytes"]) == (0, 1000)
    assert files(world.folder.cache) == set()


def test_a_disk_from_which_nothing_can_be_removed_is_warned_of_and_memory_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system takes a failing disk to be read-only from one moment to the next."""
    cache = cache_in(tmp_path, memory_bytes=100)
    put(cache, 0, 1, 2)
    (tmp_path / DIGESTS[1].hex()).write_bytes(b"damaged")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert cache.get(DIGESTS[1]) is None
    put(cache, 3, 4)
    assert cache.get(DIGESTS[4]) == SEGMENTS[4]
    assert cache.has_full_disk


async def test_segments_outlive_a_restart_of_the_node(world: World) -> None:
    ticket = await open_session(world)
    await get(world, "source-0.m4s", ticket)
    again = cache_in(world.folder.cache, max_bytes=100_000)
    assert again.get(sha256(world.origin.segment(0)).digest()) == world.origin.segment(0)
