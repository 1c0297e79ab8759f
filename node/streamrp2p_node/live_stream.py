"""One pool's stream as this node relays it: the origin's newest playlist and the segments it vouches for."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from streamrp2p.errors import MalformedError, SignatureError
from streamrp2p.numbers import Address
from streamrp2p.playlist_v0 import (
    MAX_PLAYLIST_BYTES,
    LivePlaylist,
    Segment,
    matches,
    verify_playlist,
)
from streamrp2p.typed_data import Domain
from streamrp2p_node.errors import OriginError, Reason, RefusedError
from streamrp2p_node.segment_cache import SegmentCache
from streamrp2p_node.single_flight import SingleFlight

PLAYLIST_NAME = "live.m3u8"
MAX_SEGMENT_BYTES = 64 * 1024 * 1024
KNOWN_SEGMENTS = 512
"""Segments remembered by name, also after they left the window: slow viewers still ask for them."""
STALE_SECONDS = 10.0
"""How long a playlist is served on when the origin does not answer."""
RETRY_SECONDS = 0.5
"""After a failure the origin is left alone for so long, however many viewers ask."""

_log = structlog.get_logger("stream")

Fetch = Callable[[str, int], Awaitable[bytes]]
"""From URL and bound in bytes to body; raises OriginError."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a pool's stream comes from and who signs it, as the pool's record says."""

    pool_id: int
    origin_url: str
    origin: Address
    domain: Domain


@dataclass(frozen=True, slots=True)
class _Held:
    data: bytes
    playlist: LivePlaylist
    at: float


class LiveStream:
    """Relays one stream. Nothing leaves it that the origin's key does not vouch for."""

    def __init__(
        self,
        source: Source,
        *,
        fetch: Fetch,
        cache: SegmentCache,
        playlist_seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        self.source = source
        self.upstream_fetches = 0
        self._fetch = fetch
        self._cache = cache
        self._playlist_seconds = playlist_seconds
        self._monotonic = monotonic
        self._held: _Held | None = None
        self._failed: tuple[float, OriginError] | None = None
        self._segments: OrderedDict[str, Segment] = OrderedDict()
        self._playlists: SingleFlight[_Held] = SingleFlight()
        self._flights: SingleFlight[bytes] = SingleFlight()

    async def playlist(self) -> bytes:
        """Return the signed playlist byte for byte; raises OriginError when there is none fresh enough."""
        held = self._held
        if held is not None and self._monotonic() - held.at < self._playlist_seconds:
            return held.data
        try:
            return (await self._refreshed()).data
        except OriginError as error:
            if held is None or self._monotonic() - held.at >= STALE_SECONDS:
                raise
            _log.warning("stale playlist served", pool=self.source.pool_id, reason=str(error))
            return held.data

    async def segment(self, name: str) -> Segment:
        """Return what the origin vouches for under a name; raises RefusedError when the stream has no such segment."""
        if name not in self._segments:
            await self.playlist()
        segment = self._segments.get(name)
        if segment is None:
            raise RefusedError(
                Reason.SEGMENT_UNKNOWN,
                "the stream's signed playlist names no such segment; fetch live.m3u8 again",
            )
        return segment

    async def data(self, segment: Segment) -> bytes:
        """Return a segment from the cache or, fetched once for all who ask, from the origin; raises OriginError."""
        cached = await asyncio.to_thread(self._cache.get, segment.sha256)
        if cached is not None:
            return cached
        return await self._flights.do(segment.sha256, lambda: self._fetched(segment))

    async def _fetched(self, segment: Segment) -> bytes:
        # Another flight may have landed between the look into the cache and this one's start.
        cached = await asyncio.to_thread(self._cache.get, segment.sha256)
        if cached is not None:
            return cached
        if segment.length_bytes > MAX_SEGMENT_BYTES:
            raise OriginError(f"segment {segment.name} is larger than {MAX_SEGMENT_BYTES} bytes")
        self.upstream_fetches += 1
        data = await self._fetch(self._url(segment.name), segment.length_bytes)
        if not await asyncio.to_thread(matches, segment, data):
            raise OriginError(f"the origin sent {segment.name} with another hash than it signed")
        await asyncio.to_thread(self._cache.put, segment.sha256, data)
        return data

    async def _refreshed(self) -> _Held:
        if self._failed is not None and self._monotonic() - self._failed[0] < RETRY_SECONDS:
            raise self._failed[1]
        return await self._playlists.do(PLAYLIST_NAME, self._fetched_playlist)

    async def _fetched_playlist(self) -> _Held:
        source = self.source
        try:
            data = await self._fetch(self._url(PLAYLIST_NAME), MAX_PLAYLIST_BYTES)
            playlist = verify_playlist(
                data, pool_id=source.pool_id, domain=source.domain, origin=source.origin
            )
        except (SignatureError, MalformedError) as error:
            raise self._failure(
                OriginError(f"the origin's playlist is refused: {error}")
            ) from error
        except OriginError as error:
            raise self._failure(error) from error.__cause__
        self._failed = None
        return self._take(data, playlist)

    def _failure(self, error: OriginError) -> OriginError:
        self._failed = (self._monotonic(), error)
        return error

    def _take(self, data: bytes, playlist: LivePlaylist) -> _Held:
        held = self._held
        if held is not None and playlist.published_at < held.playlist.published_at:
            # Somebody replays an old playlist: what is newer and signed stays.
            data, playlist = held.data, held.playlist
        self._held = _Held(data, playlist, self._monotonic())
        for segment in playlist.segments:
            self._segments[segment.name] = segment
            self._segments.move_to_end(segment.name)
        while len(self._segments) > max(KNOWN_SEGMENTS, len(playlist.segments)):
            self._segments.popitem(last=False)
        return self._held

    def _url(self, name: str) -> str:
        return f"{self.source.origin_url}/v1/streams/{self.source.pool_id}/{name}"
