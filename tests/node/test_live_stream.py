"""One stream from a fake origin: playlists that wait, deltas, parts put together, and what it costs upstream."""

import asyncio
import errno
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from streamrp2p.playlist import Reload, verify_media_playlist
from streamrp2p_node.errors import OriginError, Reason, RefusedError
from streamrp2p_node.known_objects import KnownObjects
from streamrp2p_node.live_stream import LiveStream
from streamrp2p_node.rendition import Timing
from streamrp2p_node.segment_cache import SegmentCache
from streamrp2p_node.upstream import OriginUpstream, Source, Traffic, make_client
from tests.node.fake_origin import PARTS, FakeOrigin
from tests.node.fakes import DOMAIN, ORIGIN, ORIGIN_URL, OTHER_KEY, POOL

SOURCE = Source(POOL, ORIGIN_URL, ORIGIN, DOMAIN)
PATIENCE_SECONDS = 30.0


@dataclass(slots=True)
class Setting:
    origin: FakeOrigin
    stream: LiveStream
    traffic: Traffic
    cache: SegmentCache

    async def data(self, name: str) -> bytes:
        return await self.stream.data(await self.stream.find(name))

    def asked(self, start: str) -> list[str]:
        return [name for name in self.origin.requests if name.startswith(start)]


@asynccontextmanager
async def streaming(
    folder: Path,
    origin: FakeOrigin,
    *,
    prefetches: bool = False,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Setting]:
    cache = SegmentCache(folder, max_bytes=1_000_000, memory_bytes=1_000_000)
    traffic = Traffic()
    async with make_client(httpx.MockTransport(origin)) as client:
        stream = LiveStream(
            SOURCE,
            upstream=OriginUpstream(client, SOURCE, traffic.origin),
            cache=cache,
            timing=Timing(0.3, monotonic),
            prefetches=prefetches,
        )
        yield Setting(origin, stream, traffic, cache)
        await stream.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - the state of what is tested, which tells nobody
            await asyncio.sleep(0.005)


async def waiting_for(setting: Setting, query: Reload, viewers: int) -> list[asyncio.Task[bytes]]:
    already = setting.stream.waiting
    tasks = [asyncio.create_task(setting.stream.media("source", query)) for _ in range(viewers)]
    await until(lambda: setting.stream.waiting == already + viewers)
    return tasks


async def test_however_many_viewers_wait_the_origin_holds_one_request(tmp_path: Path) -> None:
    origin = FakeOrigin()
    async with streaming(tmp_path, origin) as setting:
        waiting = await waiting_for(setting, Reload(4, 0), 100)
        await until(lambda: "source.m3u8?_HLS_msn=4&_HLS_part=0" in origin.requests)
        assert setting.asked("source.m3u8") == ["source.m3u8", "source.m3u8?_HLS_msn=4&_HLS_part=0"]
        origin.publish()
        assert set(await asyncio.gather(*waiting)) == {origin.playlist()}
        # The next request is held already: no viewer's poll begins it.
        await until(lambda: len(setting.asked("source.m3u8")) == 3)
        assert setting.asked("source.m3u8")[2] == "source.m3u8?_HLS_msn=4&_HLS_part=1"


async def test_viewers_of_deltas_and_of_full_texts_cost_one_request_for_each_kind(
    tmp_path: Path,
) -> None:
    origin = FakeOrigin(count=10)
    async with streaming(tmp_path, origin) as setting:
        full = await waiting_for(setting, Reload(10, 0), 20)
        delta = await waiting_for(setting, Reload(10, 0, is_delta=True), 20)
        await until(lambda: any("_HLS_msn" in name for name in origin.requests))
        before = len(setting.asked("source.m3u8"))
        origin.publish()
        assert set(await asyncio.gather(*full)) == {origin.playlist()}
        assert set(await asyncio.gather(*delta)) == {origin.playlist(is_delta=True)}
        after = [name for name in setting.asked("source.m3u8")[before:] if "part=1" not in name]
        assert len(after) <= 2


async def test_segment_is_waited_for_whole_when_no_part_is_named(tmp_path: Path) -> None:
    origin = FakeOrigin()
    async with streaming(tmp_path, origin) as setting:
        (waiting,) = await waiting_for(setting, Reload(4), 1)
        for _ in range(PARTS - 1):
            origin.publish()
        await until(lambda: "source.m3u8?_HLS_msn=4&_HLS_part=3" in origin.requests)
        assert not waiting.done()
        origin.publish()
        assert await waiting == origin.playlist()


async def test_what_is_listed_already_is_answered_at_once(tmp_path: Path) -> None:
    async with streaming(tmp_path, FakeOrigin(parts=2)) as setting:
        for query in (Reload(3), Reload(4, 1), Reload(0, 0)):
            assert await setting.stream.media("source", query) == setting.origin.playlist()


@pytest.mark.parametrize("query", [Reload(6), Reload(10**14), Reload(4, 13)])
async def test_who_asks_too_far_ahead_is_refused(tmp_path: Path, query: Reload) -> None:
    async with streaming(tmp_path, FakeOrigin()) as setting:
        with pytest.raises(RefusedError, match="too far ahead") as refused:
            await setting.stream.media("source", query)
        assert refused.value.reason is Reason.BAD_QUERY
        assert setting.stream.waiting == 0


async def test_wait_ends_with_what_there_is_when_the_encoder_stands_still(tmp_path: Path) -> None:
    now = [0.0]
    async with streaming(tmp_path, FakeOrigin(), monotonic=lambda: now[0]) as setting:
        held = setting.origin.playlist()
        began_at = time.monotonic()
        assert await setting.stream.media("source", Reload(4, 0)) == held
        assert time.monotonic() - began_at >= 2.9


async def test_viewer_who_hangs_up_waits_no_more(tmp_path: Path) -> None:
    async with streaming(tmp_path, FakeOrigin()) as setting:
        (waiting,) = await waiting_for(setting, Reload(4, 0), 1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert setting.stream.waiting == 0


async def test_stream_without_blocking_reload_is_polled_for_those_who_wait(tmp_path: Path) -> None:
    origin = FakeOrigin(can_block=False)
    async with streaming(tmp_path, origin) as setting:
        waiting = await waiting_for(setting, Reload(4, 0), 10)
        origin.publish()
        assert set(await asyncio.gather(*waiting)) == {origin.playlist()}
        assert len(setting.asked("source.m3u8")) <= 3


async def test_rendition_that_the_signed_playlist_does_not_list_is_never_asked_for(
    tmp_path: Path,
) -> None:
    async with streaming(tmp_path, FakeOrigin()) as setting:
        with pytest.raises(RefusedError, match="lists: source"):
            await setting.stream.media("720p", Reload())
        assert setting.origin.requests == ["live.m3u8"]


async def test_playlist_of_one_rendition_does_not_pass_for_another(tmp_path: Path) -> None:
    origin = FakeOrigin(renditions=("source", "240p"))

    async def swapped(request: httpx.Request) -> httpx.Response:
        url = str(request.url).replace("240p.m3u8", "source.m3u8")
        return await origin(httpx.Request("GET", url))

    async with make_client(httpx.MockTransport(swapped)) as client:
        stream = LiveStream(
            SOURCE,
            upstream=OriginUpstream(client, SOURCE, Traffic().origin),
            cache=SegmentCache(tmp_path, max_bytes=10, memory_bytes=10),
            timing=Timing(0.3, time.monotonic),
            prefetches=False,
        )
        with pytest.raises(OriginError, match="rendition"):
            await stream.media("240p", Reload())
        await stream.close()


async def test_older_signed_playlists_of_any_kind_replace_no_newer_one(tmp_path: Path) -> None:
    now = [0.0]
    origin = FakeOrigin()
    async with streaming(tmp_path, origin, monotonic=lambda: now[0]) as setting:
        newest = [
            await setting.stream.multivariant(),
            await setting.stream.media("source", Reload()),
            await setting.stream.media("source", Reload(is_delta=True)),
        ]
        origin.published_at -= 1
        origin.count, origin.renditions = 2, ("source", "240p")
        now[0] = 1.0
        assert newest == [
            await setting.stream.multivariant(),
            await setting.stream.media("source", Reload()),
            await setting.stream.media("source", Reload(is_delta=True)),
        ]


async def test_stale_playlists_are_served_for_ten_seconds_and_no_longer(tmp_path: Path) -> None:
    now = [0.0]
    origin = FakeOrigin()
    async with streaming(tmp_path, origin, monotonic=lambda: now[0]) as setting:
        held = await setting.stream.media("source", Reload())
        origin.is_down = True
        now[0] = 9.9
        assert await setting.stream.media("source", Reload()) == held
        now[0] = 10.5
        with pytest.raises(OriginError):
            await setting.stream.media("source", Reload())


async def test_origin_that_fails_is_not_asked_again_at_once(tmp_path: Path) -> None:
    now = [0.0]
    origin = FakeOrigin(key=OTHER_KEY)
    async with streaming(tmp_path, origin, monotonic=lambda: now[0]) as setting:
        for _ in range(20):
            with pytest.raises(OriginError, match="signed by"):
                await setting.stream.media("source", Reload())
        assert origin.requests == ["live.m3u8"]


async def test_segment_is_put_together_from_its_parts_and_not_fetched(tmp_path: Path) -> None:
    origin = FakeOrigin()
    async with streaming(tmp_path, origin) as setting:
        for part in range(PARTS):
            assert await setting.data(f"source-3.{part}.m4s") == origin.part(3, part)
        assert await setting.data("source-3.m4s") == origin.segment(3)
        assert "source-3.m4s" not in origin.requests
        assert setting.stream.objects.joined == 1
        # Also after the playlist has left its parts out.
        origin.publish(2 * PARTS)
        await setting.stream.media("source", Reload())
        assert await setting.data("source-3.m4s") == origin.segment(3)
        assert "source-3.m4s" not in origin.requests


async def test_segment_with_a_part_missing_is_fetched_whole(tmp_path: Path) -> None:
    origin = FakeOrigin()
    async with streaming(tmp_path, origin) as setting:
        await setting.data("source-3.0.m4s")
        assert await setting.data("source-3.m4s") == origin.segment(3)
        assert setting.asked("source-3") == ["source-3.0.m4s", "source-3.m4s"]
        assert setting.stream.objects.joined == 0


async def test_corrupt_part_is_not_served_and_spoils_no_segment(tmp_path: Path) -> None:
    origin = FakeOrigin(corrupt={"source-3.1.m4s"})
    async with streaming(tmp_path, origin) as setting:
        for part in (0, 2, 3):
            await setting.data(f"source-3.{part}.m4s")
        with pytest.raises(OriginError, match="another hash"):
            await setting.data("source-3.1.m4s")
        assert await setting.data("source-3.m4s") == origin.segment(3)


async def test_every_object_is_fetched_once_however_many_ask_and_in_whatever_rendition(
    tmp_path: Path,
) -> None:
    origin = FakeOrigin(renditions=("source", "240p"), parts=2)
    async with streaming(tmp_path, origin) as setting:
        names = [name for rendition in origin.renditions for name in origin.files(rendition)]
        listed = [name for name in names if not _is_old_part(name)]
        answers = await asyncio.gather(*(setting.data(name) for name in listed * 5))
        files = {**origin.files("source"), **origin.files("240p")}
        assert answers == [files[name] for name in listed] * 5
        counts = Counter(name for name in origin.requests if name in files)
        assert max(counts.values()) == 1
        assert setting.traffic.origin.objects == counts.total()


def _is_old_part(name: str) -> bool:
    return (
        any(f"-{index}." in name and name.count(".") == 2 for index in (0, 1))
        and "init" not in name
    )


async def test_new_parts_are_there_before_the_first_viewer_asks(tmp_path: Path) -> None:
    origin = FakeOrigin()
    async with streaming(tmp_path, origin, prefetches=True) as setting:
        (waiting,) = await waiting_for(setting, Reload(4, 0), 1)
        origin.publish()
        await waiting
        listed = await setting.stream.find("source-4.0.m4s")
        await until(lambda: setting.cache.get(listed.object.sha256) == origin.part(4, 0))
        # What is older than players near the end want is left where it is.
        assert setting.asked("source-1.") == setting.asked("source-2.") == []
        assert origin.requests.count("source-4.0.m4s") == 1
        assert await setting.stream.data(listed) == origin.part(4, 0)
        assert origin.requests.count("source-4.0.m4s") == 1


async def test_rendition_that_nobody_watches_is_neither_followed_nor_prefetched(
    tmp_path: Path,
) -> None:
    now = [0.0]
    origin = FakeOrigin(renditions=("source", "240p"))
    async with streaming(tmp_path, origin, prefetches=True, monotonic=lambda: now[0]) as setting:
        await setting.stream.media("source", Reload())
        await until(lambda: "source.m3u8?_HLS_msn=4&_HLS_part=0" in origin.requests)
        now[0] = 11.0
        origin.publish()
        await until(lambda: not setting.stream.is_wanted)
        await asyncio.sleep(0.05)
        origin.publish()
        await asyncio.sleep(0.05)
        assert not any("_HLS_part=2" in name for name in origin.requests)
        assert setting.asked("240p") == []


async def test_segments_of_a_stream_without_parts_are_prefetched(tmp_path: Path) -> None:
    origin = FakeOrigin(has_parts=False)
    async with streaming(tmp_path, origin, prefetches=True) as setting:
        await setting.stream.media("source", Reload())
        await until(lambda: "source-3.m4s" in origin.requests)
        assert setting.asked("source-0") == []


async def test_map_that_the_playlist_names_is_known_and_other_names_are_not(tmp_path: Path) -> None:
    async with streaming(tmp_path, FakeOrigin()) as setting:
        assert await setting.data("source-0.init.mp4") == b"map of source"
        for name in ("source-9.m4s", "240p-0.m4s", "../source-0.m4s", "x" * 200, ""):
            with pytest.raises(RefusedError, match="name no such object"):
                await setting.stream.find(name)


async def test_origin_that_held_a_request_in_vain_is_asked_on_and_the_new_signature_passed(
    tmp_path: Path,
) -> None:
    now = [0.0]
    origin = FakeOrigin(holds=False)
    async with streaming(tmp_path, origin, monotonic=lambda: now[0]) as setting:
        await setting.stream.media("source", Reload())
        # Its encoder sends nothing: requests for the next part are answered with 503 after a while.
        await until(lambda: setting.asked("source.m3u8?_HLS_msn=4&_HLS_part=0") != [])
        origin.published_at += 2
        now[0] = 2.5
        assert await setting.stream.media("source", Reload()) == origin.playlist()


async def test_memory_stays_bounded_over_hours_of_many_renditions(tmp_path: Path) -> None:
    now = [0.0]
    renditions = tuple(f"r{number}" for number in range(20))
    origin = FakeOrigin(count=1, renditions=renditions, length=40)
    async with streaming(tmp_path, origin, monotonic=lambda: now[0]) as setting:
        with pytest.raises(RefusedError, match="no such rendition"):
            await setting.stream.media("r16", Reload())
        known = KnownObjects(at_most=100)
        for count in range(1, 60):
            origin.first, origin.count = max(count - 10, 0), count
            playlist = verify_media_playlist(
                origin.playlist("r0"),
                pool_id=POOL,
                rendition="r0",
                domain=DOMAIN,
                origin=ORIGIN,
            )
            known.take(playlist)
            assert len(known) <= 100
        assert known.find("r0-59.m4s") is None
        assert known.find("r0-58.m4s") is not None
        assert known.find("r0-0.3.m4s") is None


async def test_disk_that_is_full_changes_nothing_for_those_who_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    origin = FakeOrigin()
    async with streaming(tmp_path, origin) as setting:
        monkeypatch.setattr(Path, "write_bytes", full)
        for part in range(PARTS):
            await setting.data(f"source-3.{part}.m4s")
        assert await setting.data("source-3.m4s") == origin.segment(3)
        assert await setting.data("source-3.m4s") == origin.segment(3)
        assert setting.stream.objects.joined == 1
        assert setting.cache.has_full_disk
