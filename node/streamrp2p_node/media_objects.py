"""Objects of one stream: from the cache, put together from parts, or fetched once for all who ask."""

import asyncio
from collections.abc import Sequence

import structlog

from streamrp2p.playlist import MediaObject, matches
from streamrp2p_node.errors import OriginError
from streamrp2p_node.known_objects import Listed
from streamrp2p_node.segment_cache import SegmentCache
from streamrp2p_node.single_flight import SingleFlight
from streamrp2p_node.upstream import Upstream

PREFETCHES_AT_ONCE = 4
MAX_PREFETCHES = 64
"""Under way or waiting; what is beyond is fetched when a viewer asks for it."""

_log = structlog.get_logger("stream")


class MediaObjects:
    """Gives each object's bytes, whose hash was checked. Of one event loop."""

    def __init__(self, upstream: Upstream, cache: SegmentCache) -> None:
        self.joined = 0
        """How many segments were put together from their parts, and not fetched."""
        self._upstream = upstream
        self._cache = cache
        self._flights: SingleFlight[bytes] = SingleFlight()
        self._prefetches: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(PREFETCHES_AT_ONCE)

    def in_memory(self, listed: Listed) -> bytes | None:
        """Return an object if it is in memory."""
        return self._cache.hot(listed.object.sha256)

    async def data(self, listed: Listed) -> bytes:
        """Return an object; raises OriginError."""
        cached = await self._cached(listed.object)
        if cached is not None:
            return cached
        return await self._flights.do(listed.object.sha256, lambda: self._made(listed))

    def prefetch(self, wanted: Sequence[Listed]) -> None:
        """Begin to fetch what viewers are about to ask for."""
        for listed in wanted:
            if len(self._prefetches) >= MAX_PREFETCHES:
                return
            task = asyncio.create_task(self._prefetched(listed))
            self._prefetches.add(task)
            task.add_done_callback(self._prefetches.discard)

    async def close(self) -> None:
        """Prefetch no more."""
        tasks = [*self._prefetches]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _prefetched(self, listed: Listed) -> None:
        async with self._turn:
            try:
                await self.data(listed)
            except OriginError as error:
                # Whoever wants it asks again, and is told.
                _log.debug("object_not_prefetched", name=listed.object.name, reason=str(error))

    async def _made(self, listed: Listed) -> bytes:
        # Another flight may have landed between the look into the cache and this one's start.
        data = await self._cached(listed.object)
        if data is None:
            data = await self._put_together(listed)
        if data is not None:
            return data
        data = await self._upstream.object(listed)
        await asyncio.to_thread(self._cache.put, listed.object.sha256, data)
        return data

    async def _put_together(self, listed: Listed) -> bytes | None:
        """Return a segment made of its parts if all of them are here or on their way: it need not come twice."""
        pieces = []
        for part in listed.parts:
            piece = await self._here_or_coming(part)
            if piece is None:
                return None
            pieces.append(piece)
        data = b"".join(pieces)
        if not pieces or not await asyncio.to_thread(matches, listed.object, data):
            return None
        self.joined += 1
        await asyncio.to_thread(self._cache.put, listed.object.sha256, data)
        return data

    async def _here_or_coming(self, part: MediaObject) -> bytes | None:
        coming = self._flights.under_way(part.sha256)
        if coming is None:
            return await self._cached(part)
        try:
            return await asyncio.shield(coming)
        except OriginError:
            return None

    async def _cached(self, wanted: MediaObject) -> bytes | None:
        # Most are in memory, where a thread would cost more than the look.
        hot = self._cache.hot(wanted.sha256)
        return hot or await asyncio.to_thread(self._cache.get, wanted.sha256)
