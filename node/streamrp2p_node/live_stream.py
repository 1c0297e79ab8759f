"""One pool's stream as this node relays it: its playlists, and the objects that they name."""

import asyncio
from dataclasses import dataclass
from functools import partial

import structlog

from streamrp2p.playlist import (
    MULTIVARIANT_NAME,
    MediaPlaylist,
    MultivariantPlaylist,
    Reload,
    verify_multivariant_playlist,
)
from streamrp2p.playlist.names import is_object
from streamrp2p_node.errors import OriginError, Reason, RefusedError
from streamrp2p_node.known_objects import KnownObjects, Listed
from streamrp2p_node.media_objects import MediaObjects
from streamrp2p_node.rendition import RETRY_SECONDS, STALE_SECONDS, Rendition, Timing
from streamrp2p_node.segment_cache import SegmentCache
from streamrp2p_node.single_flight import SingleFlight
from streamrp2p_node.upstream import Source, Upstream

MAX_RENDITIONS = 16
"""Of one stream; a ladder has three to eight."""

_log = structlog.get_logger("stream")


@dataclass(frozen=True, slots=True)
class _Held:
    data: bytes
    playlist: MultivariantPlaylist
    at: float

    @property
    def renditions(self) -> list[str]:
        """Return the names of the stream's renditions."""
        return [variant.rendition for variant in self.playlist.variants][:MAX_RENDITIONS]


class LiveStream:
    """Relays one stream. Nothing leaves it that the origin's key does not vouch for. Of one event loop."""

    def __init__(
        self,
        source: Source,
        *,
        upstream: Upstream,
        cache: SegmentCache,
        timing: Timing,
        prefetches: bool,
    ) -> None:
        """`prefetches`: fetch new parts of a rendition that is watched before the first viewer asks."""
        self.source = source
        self.upstream = upstream
        self.objects = MediaObjects(upstream, cache)
        self._timing = timing
        self._prefetches = prefetches
        self._held: _Held | None = None
        self._failed: tuple[float, OriginError] | None = None
        self._renditions: dict[str, Rendition] = {}
        self._known: dict[str, KnownObjects] = {}
        self._flights: SingleFlight[_Held] = SingleFlight()

    @property
    def waiting(self) -> int:
        """Return how many requests wait for a newer playlist."""
        return sum(rendition.waiting for rendition in self._renditions.values())

    @property
    def is_wanted(self) -> bool:
        """Tell whether anybody watches."""
        return any(rendition.is_wanted for rendition in self._renditions.values())

    async def multivariant(self) -> bytes:
        """Return the signed multivariant playlist byte for byte; raises OriginError when there is none fresh enough."""
        return (await self._multivariant()).data

    async def media(self, rendition: str, reload: Reload) -> bytes:
        """Return a rendition's signed media playlist byte for byte; see `Rendition.text`."""
        if rendition not in self._renditions:
            await self._add(rendition)
        return await self._renditions[rendition].text(reload)

    async def find(self, name: str) -> Listed:
        """Return what the origin vouches for under a name; raises RefusedError when the stream has no such object."""
        listed = self.known(name)
        if listed is None and is_object(name):
            await self._read_all()
            listed = self.known(name)
        if listed is None:
            raise RefusedError(
                Reason.SEGMENT_UNKNOWN,
                "the stream's signed playlists name no such object; fetch the playlist again",
            )
        return listed

    def known(self, name: str) -> Listed | None:
        """Return what the playlists that were read so far name."""
        for known in self._known.values():
            listed = known.find(name)
            if listed is not None:
                return listed
        return None

    def in_memory(self, listed: Listed) -> bytes | None:
        """Return an object's bytes if they are in memory."""
        return self.objects.in_memory(listed)

    async def data(self, listed: Listed) -> bytes:
        """Return an object's bytes; raises OriginError."""
        return await self.objects.data(listed)

    async def close(self) -> None:
        """Follow and prefetch no more, and settle with the upstream."""
        for rendition in self._renditions.values():
            await rendition.close()
        await self.objects.close()
        await self.upstream.close()

    async def _read_all(self) -> None:
        """Read each rendition's whole playlist, so that all that it names is known: a player may have it elsewhere."""
        for name in (await self._multivariant()).renditions:
            if name not in self._renditions:
                await self._add(name)
        renditions = [*self._renditions.values()]
        read = await asyncio.gather(
            *(each.refresh() for each in renditions), return_exceptions=True
        )
        failures = [failure for failure in read if isinstance(failure, BaseException)]
        if failures and len(failures) == len(renditions):
            raise failures[0]

    async def _add(self, rendition: str) -> None:
        names = (await self._multivariant()).renditions
        if rendition not in names:
            raise RefusedError(
                Reason.RENDITION_UNKNOWN,
                f"the stream has no such rendition; {MULTIVARIANT_NAME} lists: {', '.join(names)}",
            )
        for gone in self._renditions.keys() - set(names):
            await self._renditions.pop(gone).close()
            del self._known[gone]
        if rendition not in self._renditions:
            self._renditions[rendition] = Rendition(
                rendition,
                self.source,
                self.upstream,
                self._timing,
                self._on_newer,
            )
            self._known[rendition] = KnownObjects()

    def _on_newer(self, playlist: MediaPlaylist) -> None:
        fresh = self._known[playlist.rendition].take(playlist)
        if self._prefetches and self._renditions[playlist.rendition].is_wanted:
            self.objects.prefetch(_wanted_soon(playlist, fresh))

    async def _multivariant(self) -> _Held:
        held, now = self._held, self._timing.monotonic()
        if held is not None and now - held.at < self._timing.playlist_seconds:
            return held
        if self._failed is not None and now - self._failed[0] < RETRY_SECONDS:
            return self._stale(self._failed[1])
        try:
            return await self._flights.do(MULTIVARIANT_NAME, self._fetched)
        except OriginError as error:
            self._failed = (self._timing.monotonic(), error)
            return self._stale(error)

    def _stale(self, error: OriginError) -> _Held:
        held = self._held
        if held is None or self._timing.monotonic() - held.at >= STALE_SECONDS:
            raise error
        _log.warning("stale_playlist_served", pool=self.source.pool_id, reason=str(error))
        return held

    async def _fetched(self) -> _Held:
        source = self.source
        data, playlist = await self.upstream.playlist(
            MULTIVARIANT_NAME,
            partial(
                verify_multivariant_playlist,
                pool_id=source.pool_id,
                domain=source.domain,
                origin=source.origin,
            ),
        )
        self._failed = None
        held = self._held
        if held is not None and playlist.published_at < held.playlist.published_at:
            # Somebody replays an old playlist: what is newer and signed stays.
            data, playlist = held.data, held.playlist
        self._held = _Held(data, playlist, self._timing.monotonic())
        return self._held


def _wanted_soon(playlist: MediaPlaylist, fresh: list[Listed]) -> list[Listed]:
    """Return those of the fresh objects that players near the live edge are about to ask for.

    Parts and maps of the last complete segment and of the one in progress; of a playlist without parts, that segment.
    """
    latest = playlist.next_sequence - 1
    return [
        listed
        for listed in fresh
        if listed.media_sequence >= latest and not (listed.parts or _is_thumbnail(playlist, listed))
    ]


def _is_thumbnail(playlist: MediaPlaylist, listed: Listed) -> bool:
    return any(segment.thumbnail == listed.object for segment in playlist.segments[-1:])
