"""A probe watches a node: it asks as the player in a browser does, at its pace, by means of the reference viewer."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median

from streamrp2p.http_api import ApiError
from streamrp2p.node_client import PaymentRequiredError
from streamrp2p.playlist import MediaObject, MediaPlaylist
from streamrp2p.viewer.errors import SessionOverError, SourceError
from streamrp2p.viewer.freshness import Freshness
from streamrp2p.viewer.options import Clock
from streamrp2p.viewer.playback import PlaybackClock
from streamrp2p.viewer.renditions import chosen
from streamrp2p.viewer.report import Reason
from streamrp2p.viewer.session import CoordinatorTime, ReceiptSession
from streamrp2p.viewer.source import GoneError, Source
from streamrp2p_coordinator.probing.outcome import Visit, Wrong
from streamrp2p_coordinator.probing.pieces import BEHIND_LIVE_MICROS, Piece, Position, pieces, start
from streamrp2p_coordinator.probing.wire import BrowserTransport
from streamrp2p_coordinator.repositories.pools import KnownPool

MICROS = 1_000_000
FIRST_BYTES_PER_SECOND = 175_000
"""The player's first guess of what its connection carries, of which it uses seven tenths until it knows better."""
REQUEST_SECONDS = 6.0
RECEIPT_SECONDS = 1.0
FRESH_SECONDS = 4.0
PACE_SECONDS = 0.2
ENCODED = "encoded"


@dataclass(slots=True)
class Viewing:
    """One session at one node. `credit_bytes` may be unpaid there; `time` is the coordinator's."""

    source: Source
    session: ReceiptSession
    wire: BrowserTransport
    freshness: Freshness
    pool: KnownPool
    time: CoordinatorTime
    credit_bytes: int
    rate_slack_seconds: int
    clock: Clock
    _playback: PlaybackClock = field(default_factory=lambda: PlaybackClock(BEHIND_LIVE_MICROS))
    _map: MediaObject | None = None
    _wanted: MediaObject | None = None
    _names: list[str] = field(default_factory=list)
    _paid_bytes: int = 0
    _paid_at: float = float("-inf")

    def watch(self, seconds: float, should_stop: Callable[[], bool]) -> Visit:
        """Watch for so long, or until the node cannot be watched any more, and say what came."""
        began_at = self.clock.monotonic()
        fault: SourceError | SessionOverError | None = None
        try:
            self._watch(began_at + seconds, should_stop)
            self._pay()
        except (SourceError, SessionOverError) as error:
            fault = error
        except GoneError as error:
            fault = SourceError(Reason.MISSING_OBJECT, str(error))
        return self._visit(self.clock.monotonic() - began_at, fault)

    def _watch(self, ends_at: float, should_stop: Callable[[], bool]) -> None:
        # The player reads the list of renditions once itself, and hls.js once more.
        variants = self.source.multivariant(REQUEST_SECONDS).variants
        self.source.multivariant(REQUEST_SECONDS)
        rate = min(self.pool.max_bytes_per_second, FIRST_BYTES_PER_SECOND)
        playlist = self._whole(chosen(variants, None, rate).rendition, None)
        position = start(playlist)
        with ThreadPoolExecutor(1, "probe-reload") as reloads:
            while self.clock.monotonic() < ends_at and not should_stop():
                coming = reloads.submit(self._next, playlist)
                position = self._take(playlist, position, ends_at)
                playlist = self._awaited(coming)
                self._note_freshness(playlist)

    def _next(self, playlist: MediaPlaylist) -> MediaPlaylist:
        """Return the playlist with the next part; the same or a newer one, when none comes."""
        newer = None
        if playlist.server_control.can_block_reload:
            newer = self.source.newer(playlist, REQUEST_SECONDS, by_part=True)
        if newer is None:
            self.clock.sleep(max(playlist.target_seconds / 2, PACE_SECONDS))
            newer = self.source.media(playlist.rendition, playlist, REQUEST_SECONDS)
        return newer

    def _awaited(self, coming: "Future[MediaPlaylist]") -> MediaPlaylist:
        """Wait for the playlist, and send a receipt meanwhile, about once a second."""
        while True:
            try:
                return coming.result(self._seconds_to_receipt())
            except TimeoutError:
                self._pay()

    def _whole(self, rendition: str, older: MediaPlaylist | None) -> MediaPlaylist:
        playlist = self.source.media(rendition, older, REQUEST_SECONDS)
        self._note_freshness(playlist)
        return playlist

    def _note_freshness(self, playlist: MediaPlaylist) -> None:
        now = self.clock.monotonic()
        if fault := self.freshness.fault(self.source.node, playlist, now):
            raise SourceError(Reason.STALE_PLAYLIST, fault)
        is_fresh = self.freshness.age_seconds(playlist, now) < FRESH_SECONDS
        if is_fresh and self._playback.is_dry(self._micros()) and self._is_at_end(playlist):
            # A playlist this young that lists nothing new: the stream itself has no more.
            self._playback.pause(self._micros())

    def _is_at_end(self, playlist: MediaPlaylist) -> bool:
        listed = list(pieces(playlist, (0, 0)))
        return not listed or listed[-1].object == self._wanted

    def _take(self, playlist: MediaPlaylist, position: Position, ends_at: float) -> Position:
        for piece in pieces(playlist, position):
            if self.clock.monotonic() >= ends_at:
                break
            if piece.map is not None and piece.map != self._map:
                self._fetch(piece.map, piece)
                is_on_time = self._playback.is_on_time(self._micros())
                self.source.count_map(piece.map, piece.media_sequence, is_on_time=is_on_time)
                self._map = piece.map
            self._fetch(piece.object, piece)
            arrival = self._playback.arrived(piece.duration_micros, self._micros())
            self.source.count_map(piece.object, piece.media_sequence, is_on_time=arrival.is_on_time)
            position = piece.after
            if self._seconds_to_receipt() == 0:
                self._pay()
        return position

    def _fetch(self, wanted: MediaObject, piece: Piece) -> None:
        """Fetch and verify an object, once a receipt for it would be accepted and the node's credit covers it."""
        self._wanted = wanted
        if not self.session.has_room(wanted.length_bytes):
            raise SessionOverError("the ticket's credit is used up")
        while self.session.seconds_until(
            wanted.length_bytes,
            self.time.at(self.clock.monotonic()),
            self.pool.max_bytes_per_second,
            self.rate_slack_seconds,
        ):
            self.clock.sleep(PACE_SECONDS)
        unpaid = self.session.bytes_delivered - self._paid_bytes
        if unpaid and unpaid + wanted.length_bytes > self.credit_bytes:
            self._pay()
        buffered = self._playback.buffered_micros(self._micros()) + piece.duration_micros
        max_seconds = max(buffered / MICROS, REQUEST_SECONDS / 2)
        try:
            self.source.object(wanted, max_seconds)
        except PaymentRequiredError:
            self._pay()
            try:
                self.source.object(wanted, max_seconds)
            except PaymentRequiredError as error:
                raise SourceError(Reason.UNPAID, f"paid for, and yet: {error}") from error
        self._names.append(wanted.name)

    def _seconds_to_receipt(self) -> float | None:
        if self.session.bytes_delivered == self._paid_bytes:
            return None
        return max(self._paid_at + RECEIPT_SECONDS - self.clock.monotonic(), 0.0)

    def _pay(self) -> None:
        if self.session.bytes_delivered == self._paid_bytes:
            return
        self._paid_at = self.clock.monotonic()
        covered = self.session.bytes_delivered
        self.source.pay(self.time.at(self._paid_at))
        self._paid_bytes = covered

    def _visit(self, seconds: float, fault: SourceError | SessionOverError | None) -> Visit:
        whole = {
            each.name: each
            for each in self.wire.exchanges
            if each.ended_at is not None and each.first_byte_at is not None
        }
        came = [whole[name] for name in self._names if name in whole]
        spent = [(each.ended_at or each.asked_at) - each.asked_at for each in came]
        first = [(each.first_byte_at or each.asked_at) - each.asked_at for each in came]
        return Visit(
            seconds=round(seconds),
            objects=len(self._names),
            bytes_received=self.session.bytes_delivered,
            transfer_micros=round(sum(spent) * MICROS),
            first_byte_millis=round(median(first) * 1000) if first else 0,
            stalled_millis=self._stalled_micros(round(seconds * MICROS)) // 1000,
            fault=_reason(fault),
            slug=self._slug(fault),
            wrong=self._wrong(fault),
        )

    def _stalled_micros(self, watched_micros: int) -> int:
        """Return for how long there was nothing to play; all the time until the first picture came, if none did."""
        now = self._micros()
        if self._playback.is_playing or self._playback.paused_micros(now):
            return self._playback.stalled_micros(now)
        return max(watched_micros - self._playback.buffered_micros(now), 0)

    def _slug(self, fault: SourceError | SessionOverError | None) -> str:
        if fault is None:
            return ""
        if self.wire.exchanges and self.wire.exchanges[-1].is_encoded:
            return ENCODED
        cause = fault.__cause__
        return cause.slug if isinstance(cause, ApiError) else ""

    def _wrong(self, fault: SourceError | SessionOverError | None) -> Wrong | None:
        wanted = self._wanted
        if _reason(fault) is not Reason.CORRUPT_OBJECT or wanted is None:
            return None
        for each in reversed(self.wire.exchanges):
            # Bytes of another length may be some proxy's page, which says nothing of the node.
            if each.name == wanted.name and each.length_bytes == wanted.length_bytes:
                if each.digest is None or each.digest == wanted.sha256:
                    return None
                return Wrong(wanted.name, wanted.length_bytes, wanted.sha256, each.digest)
        return None

    def _micros(self) -> int:
        return round(self.clock.monotonic() * MICROS)


def _reason(fault: SourceError | SessionOverError | None) -> Reason | None:
    if fault is None:
        return None
    return fault.reason if isinstance(fault, SourceError) else Reason.REFUSED
