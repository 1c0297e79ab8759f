"""One rendition's media playlist: followed upstream while viewers ask, one request however many of them wait."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import structlog

from streamrp2p.playlist import (
    MediaPlaylist,
    Reload,
    playlist_name,
    reload_after,
    verify_media_playlist,
)
from streamrp2p_node.errors import OriginError, Reason, RefusedError
from streamrp2p_node.single_flight import SingleFlight
from streamrp2p_node.upstream import READ_SECONDS, TOTAL_SECONDS, Source, Upstream

INTEREST_SECONDS = 10.0
"""A rendition is followed for so long after the last viewer asked for it."""
HOLD_TARGETS = 3
"""No request waits longer than so many target durations (RFC 8216bis 6.2.5.2)."""
MAX_HOLD_SECONDS = 20.0
STALE_SECONDS = 10.0
"""How long a playlist is served on when nothing newer is to be had upstream."""
RESIGNED_SECONDS = 2.0
"""The origin signs its playlists anew so often also when they do not change."""
RETRY_SECONDS = 0.5
"""After a failure the upstream is left alone for so long, however many viewers ask."""

_log = structlog.get_logger("stream")


@dataclass(frozen=True, slots=True)
class Timing:
    """How often an upstream is asked at most, in seconds, and a monotonic clock."""

    playlist_seconds: float
    monotonic: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Held:
    data: bytes
    playlist: MediaPlaylist
    at: float


class Rendition:
    """Full and delta texts of one media playlist, byte for byte as the origin signed them. Of one event loop."""

    def __init__(
        self,
        name: str,
        source: Source,
        upstream: Upstream,
        timing: Timing,
        on_newer: Callable[[MediaPlaylist], None],
    ) -> None:
        """Take the rendition's name; `on_newer` is told of each verified playlist that is newer than all before."""
        self.waiting = 0
        """Requests that wait for something newer."""
        self._name = name
        self._upstream = upstream
        self._timing = timing
        self._on_newer = on_newer
        self._verify = partial(
            verify_media_playlist,
            pool_id=source.pool_id,
            rendition=name,
            domain=source.domain,
            origin=source.origin,
        )
        self._held: dict[bool, _Held] = {}
        """The newest text of each kind: the delta update under True."""
        self._newest: MediaPlaylist | None = None
        self._failed: dict[bool, tuple[float, OriginError]] = {}
        self._asked_at = float("-inf")
        self._asks_delta = False
        self._is_held_upstream = False
        self._changed = asyncio.Event()
        self._follower: asyncio.Task[None] | None = None
        self._flights: SingleFlight[_Held] = SingleFlight()

    @property
    def is_wanted(self) -> bool:
        """Tell whether a viewer waits, or asked just now."""
        return self.waiting > 0 or self._timing.monotonic() - self._asked_at < INTEREST_SECONDS

    async def text(self, reload: Reload) -> bytes:
        """Return what a viewer asked for, once it is there; what there is when that takes too long.

        Raises OriginError when there is nothing fresh enough, RefusedError when the viewer asks too far ahead.
        """
        self._asked_at = self._timing.monotonic()
        if reload.is_blocking:
            await self._check_reach(reload)
            self._follow()
            await self._until(reload)
        held = await self._current(reload.is_delta)
        self._follow()
        return held.data

    async def refresh(self) -> None:
        """Fetch the whole playlist unless the one held is fresh; raises OriginError."""
        await self._current(is_delta=False)

    async def close(self) -> None:
        """Follow no more."""
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)

    async def _check_reach(self, reload: Reload) -> None:
        if (
            self._newest is None
            or not self._is_followed
            or reload.is_too_far_for(self._newest.edge)
        ):
            # Perhaps only this relay is behind: what is too far ahead is judged by what is current.
            held = await self._current(reload.is_delta)
            edge = (self._newest or held.playlist).edge
            if reload.is_too_far_for(edge):
                raise RefusedError(
                    Reason.BAD_QUERY,
                    f"the next segment is {edge.sequence}, the request waits for something too far ahead of it; "
                    "ask for the playlist without _HLS_msn first",
                )

    @property
    def _is_followed(self) -> bool:
        return self._follower is not None and not self._follower.done()

    def _follow(self) -> None:
        if not self._is_followed:
            self._follower = asyncio.create_task(self._following())

    async def _until(self, reload: Reload) -> None:
        newest = self._newest
        if newest is None:
            return
        self.waiting += 1
        self._asks_delta = reload.is_delta
        try:
            async with asyncio.timeout(_hold_seconds(newest)):
                while self._newest is not None and not reload.is_met_by(self._newest.edge):
                    await self._changed.wait()
        except TimeoutError:
            pass
        finally:
            self.waiting -= 1
            self._asked_at = self._timing.monotonic()

    async def _current(self, is_delta: bool) -> _Held:
        """Return a text of the kind that is as new as anything known, and fresh; an old one while upstream fails."""
        held = self._held.get(is_delta)
        if held is not None and self._is_fresh(held):
            return held
        try:
            return await self._fetched(is_delta, Reload(is_delta=is_delta))
        except OriginError as error:
            if held is None or self._timing.monotonic() - held.at >= STALE_SECONDS:
                raise
            _log.warning("stale_playlist_served", rendition=self._name, reason=str(error))
            return held

    def _is_fresh(self, held: _Held) -> bool:
        if self._newest is not None and _position(held.playlist) < _position(self._newest):
            return False
        # While the upstream holds a request it would have told of anything newer but a new signature.
        limit = RESIGNED_SECONDS if self._is_held_upstream else self._timing.playlist_seconds
        return self._timing.monotonic() - held.at < limit

    async def _fetched(self, is_delta: bool, reload: Reload) -> _Held:
        failed = self._failed.get(is_delta)
        if (
            failed is not None
            and not reload.is_blocking
            and self._timing.monotonic() - failed[0] < RETRY_SECONDS
        ):
            raise failed[1]
        return await self._flights.do(reload, lambda: self._fetch(is_delta, reload))

    async def _fetch(self, is_delta: bool, reload: Reload) -> _Held:
        newest = self._newest
        hold = _hold_seconds(newest) + READ_SECONDS if reload.is_blocking and newest else None
        try:
            data, playlist = await self._upstream.playlist(
                _named(self._name, reload),
                self._verify,
                max_seconds=hold or TOTAL_SECONDS,
            )
        except OriginError as error:
            # Who held a request in vain, as an origin whose encoder sends nothing, may well answer the others.
            if not reload.is_blocking:
                self._failed[is_delta] = (self._timing.monotonic(), error)
            raise
        self._failed.pop(is_delta, None)
        return self._take(is_delta, data, playlist)

    def _take(self, is_delta: bool, data: bytes, playlist: MediaPlaylist) -> _Held:
        held = self._held.get(is_delta)
        if held is not None and _position(playlist) < _position(held.playlist):
            # Somebody replays an old playlist: what is newer and signed stays.
            data, playlist = held.data, held.playlist
        taken = self._held[is_delta] = _Held(data, playlist, self._timing.monotonic())
        if self._newest is None or _position(playlist) > _position(self._newest):
            self._newest = playlist
            self._on_newer(playlist)
            self._changed.set()
            self._changed = asyncio.Event()
        return taken

    async def _following(self) -> None:
        """Keep the playlist new while viewers ask."""
        is_failing = False
        while self.is_wanted:
            began_at, before = self._timing.monotonic(), self._newest
            try:
                await self._next()
            except OriginError as error:
                if not is_failing:
                    _log.warning("playlist_not_renewed", rendition=self._name, reason=str(error))
                is_failing = True
                await asyncio.sleep(RETRY_SECONDS)
                continue
            is_failing = False
            left = self._timing.playlist_seconds - (self._timing.monotonic() - began_at)
            if self._newest is before and left > 0:
                await asyncio.sleep(left)

    async def _next(self) -> None:
        """Fetch what comes next: held by the upstream if it can, else after a wait."""
        newest, is_delta = self._newest, self._asks_delta
        if newest is None:
            await self._fetched(is_delta, Reload(is_delta=is_delta))
        elif newest.server_control.can_block_reload and not newest.is_ended:
            self._is_held_upstream = True
            try:
                await self._fetched(is_delta, reload_after(newest.edge, is_delta=is_delta))
            finally:
                self._is_held_upstream = False
        else:
            await asyncio.sleep(_poll_seconds(newest))
            await self._fetched(is_delta, Reload(is_delta=is_delta))


def _named(rendition: str, reload: Reload) -> str:
    query = urlencode(reload.directives())
    return playlist_name(rendition) + (f"?{query}" if query else "")


def _position(playlist: MediaPlaylist) -> tuple[int, int, int]:
    """Return how new a playlist is. Several are signed in one second: then what lists more is newer."""
    return playlist.published_at, playlist.next_sequence, len(playlist.parts)


def _hold_seconds(playlist: MediaPlaylist) -> float:
    return min(HOLD_TARGETS * max(playlist.target_seconds, 1), MAX_HOLD_SECONDS)


def _poll_seconds(playlist: MediaPlaylist) -> float:
    micros = playlist.part_target_micros or playlist.target_seconds * 500_000
    return max(micros / 1_000_000, RETRY_SECONDS)
