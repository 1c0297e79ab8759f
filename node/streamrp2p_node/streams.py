"""The streams that this node relays now: one per pool, the idle ones let go."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator

from streamrp2p_node.live_stream import LiveStream
from streamrp2p_node.upstream import Source, Traffic

MAX_STREAMS = 64
"""Each holds some playlists in memory. Beyond this, those that nobody watches are let go, the oldest first."""


class Streams:
    """Makes streams when they are asked for. Of one event loop."""

    def __init__(self, make: Callable[[Source, Traffic], LiveStream]) -> None:
        """`make` returns a stream that counts in the given traffic."""
        self.traffic: dict[int, Traffic] = {}
        """By pool, since the start of this process."""
        self._make = make
        self._by_pool: OrderedDict[int, LiveStream] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[LiveStream]:
        return iter([*self._by_pool.values()])

    def find(self, pool_id: int) -> LiveStream | None:
        """Return the stream of a pool if it is relayed."""
        return self._by_pool.get(pool_id)

    def of(self, source: Source) -> LiveStream:
        """Return the stream of a pool; a new one when its record names another origin than before."""
        stream = self._by_pool.get(source.pool_id)
        if stream is None or stream.source != source:
            if stream is not None:
                self._let_go(stream)
            stream = self._by_pool[source.pool_id] = self._make(source, self._traffic(source))
            self._make_room()
        self._by_pool.move_to_end(source.pool_id)
        return stream

    async def close(self) -> None:
        """Let all go, and settle with their upstreams."""
        for stream in self:
            self._let_go(stream)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _traffic(self, source: Source) -> Traffic:
        return self.traffic.setdefault(source.pool_id, Traffic())

    def _make_room(self) -> None:
        # The newest is not wanted by anybody yet: it is about to be.
        for stream in [*self][:-1]:
            if len(self._by_pool) <= MAX_STREAMS:
                return
            if not stream.is_wanted:
                self._let_go(stream)

    def _let_go(self, stream: LiveStream) -> None:
        del self._by_pool[stream.source.pool_id]
        task = asyncio.create_task(stream.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
