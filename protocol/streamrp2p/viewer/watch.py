"""The reference viewer: watch a live stream through relays, pay each with receipts, leave those that fail."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx
import structlog

from streamrp2p.client import CoordinatorClient
from streamrp2p.errors import MalformedError
from streamrp2p.node_client import PaymentRequiredError
from streamrp2p.playlist import LivePlaylist, Segment
from streamrp2p.signatures import address_of
from streamrp2p.viewer.admission import Admission, NoRelayError, new_viewer_key
from streamrp2p.viewer.errors import NothingPlayedError, SessionOverError, SourceError
from streamrp2p.viewer.freshness import Freshness
from streamrp2p.viewer.playback import PlaybackClock
from streamrp2p.viewer.report import Reason, WatchReport
from streamrp2p.viewer.session import CoordinatorTime
from streamrp2p.viewer.source import SegmentGoneError, Source

_log = structlog.get_logger()

MICROS = 1_000_000
JOIN_SEGMENTS = 3
"""How far behind the live edge a player begins (RFC 8216, section 6.3.3)."""
_FRESH_SECONDS = 4.0
"""A playlist this young that lists nothing new proves that the source has nothing new: it is signed every two."""
_LOOK_FOR_RELAY_SECONDS = 3.0
_LEAST_POLL_SECONDS = 0.2
_LEAST_RENEWAL_SECONDS = 2.0
"""A relay that refuses a ticket younger than this is left."""


class Clock(Protocol):
    """Time as a viewer uses it: never the wall clock, which may be wrong or jump."""

    def monotonic(self) -> float:
        """Return seconds since some moment."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What to watch and how patiently."""

    coordinator_url: str
    pool_id: int
    seconds: float
    startup_seconds: float = 2.0
    """Media to have before playback begins."""
    stale_seconds: float = 8.0
    """How far a relay's playlist may be behind the freshest."""
    late_segments: int = 3
    """So many late segments in a row, and the relay is left."""
    request_seconds: float = 3.0
    """Silence after which a relay counts as unreachable."""


def watch(
    options: WatchOptions,
    *,
    clock: Clock = time,
    viewer_key: bytes | None = None,
    transport: httpx.BaseTransport | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> WatchReport:
    """Watch for `options.seconds` or until `should_stop`, and report.

    Raises the coordinator client's errors if it cannot even begin, and NothingPlayedError if not one segment came.
    `transport` replaces the network, towards coordinator, relays and origin.
    """
    key = viewer_key or new_viewer_key()
    report = WatchReport(options.pool_id, address_of(key), clock.monotonic())
    with CoordinatorClient(
        options.coordinator_url,
        timeout_seconds=options.request_seconds,
        transport=transport,
        sleep=clock.sleep,
    ) as coordinator:
        config, pool = coordinator.config(), coordinator.pool(options.pool_id)
        admission = Admission(
            coordinator=coordinator,
            config=config,
            pool=pool,
            viewer_key=key,
            report=report,
            time=CoordinatorTime(config.time, clock.monotonic()),
            request_seconds=options.request_seconds,
            node_transport=transport,
        )
        _Player(options, clock, admission, report).play(should_stop)
    if report.segments == 0:
        why = [str(each.reason) for part in report.sources for each in part.departures]
        raise NothingPlayedError(
            f"not one segment of pool {options.pool_id} came in {options.seconds:g} s "
            f"({', '.join(why) or 'no source'}): check that the stream is on, then try again"
        )
    return report


class _Player:
    """The loop. Decisions are the pure modules'; this fetches, waits and moves from source to source."""

    def __init__(
        self, options: WatchOptions, clock: Clock, admission: Admission, report: WatchReport
    ) -> None:
        self._options = options
        self._clock = clock
        self._admission = admission
        self._report = report
        self._playback = PlaybackClock(round(options.startup_seconds * MICROS))
        self._freshness = Freshness(options.stale_seconds)
        self._source: Source | None = None
        self._next: int | None = None
        self._newest_published_at = 0
        self._look_again_at = 0.0
        self._renewed_at = float("-inf")
        self._gone = 0
        self._ends_at = clock.monotonic() + options.seconds

    def play(self, should_stop: Callable[[], bool]) -> None:
        """Watch until the time is over."""
        try:
            while self._now() < self._ends_at and not should_stop():
                self._step()
        finally:
            self._close_source()
            now = self._now()
            micros = round(now * MICROS)
            self._report.watched_seconds = now - self._report.began_at
            self._report.stalls = self._playback.stalls
            self._report.stalled_seconds = self._playback.stalled_micros(micros) / MICROS
            self._report.paused_seconds = self._playback.paused_micros(micros) / MICROS

    def _now(self) -> float:
        return self._clock.monotonic()

    def _micros(self) -> int:
        return round(self._now() * MICROS)

    def _step(self) -> None:
        source = self._source
        try:
            source = self._source = self._right_source(source)
            playlist = self._playlist(source)
            wanted = self._wanted(playlist)
            for segment in wanted:
                if self._now() >= self._ends_at:
                    return
                if not self._take(source, segment):
                    return
            if not wanted:
                self._wait(playlist)
        except SessionOverError as error:
            self._renew_now(source, str(error))
        except SourceError as fault:
            self._leave(source, fault)

    # --- sources ---------------------------------------------------------------------------

    def _right_source(self, source: Source | None) -> Source:
        """Return the source to use now: the one in use, unless its ticket is due or a relay may be had again."""
        now = self._now()
        if source is not None and source.session is not None:
            is_due = self._admission.renewal_is_due(source.session, now)
            return self._renewed(source) if is_due and now >= self._look_again_at else source
        if source is not None and now < self._look_again_at:
            return source
        try:
            found = self._admission.find(now)
        except NoRelayError as error:
            self._look_again_at = now + _LOOK_FOR_RELAY_SECONDS
            if source is None:
                _log.warning("viewer.fallback", to="origin", reason=str(error))
                return self._origin()
            return source
        except SourceError as fault:
            if source is None:
                raise
            _log.warning("relay.not_joined", reason=str(fault.reason), detail=fault.detail)
            return source
        if source is not None:
            self._note_departure(source, Reason.RELAY_FOUND, "")
            source.close()
        _log.info("relay.joined", node=_name(found), endpoint=found.report.endpoint)
        return found

    def _renewed(self, source: Source) -> Source:
        """Return the source under its next ticket, or as it is while no ticket is to be had."""
        try:
            found = self._admission.find(self._now())
        except NoRelayError as error:
            self._look_again_at = self._now() + 1.0
            _log.warning("ticket.not_renewed", node=_name(source), reason=str(error))
            return source
        except SourceError as fault:
            # The fault is the next relay's, which is avoided from now on; this one may go on.
            self._look_again_at = self._now() + 1.0
            _log.warning("ticket.not_used", reason=str(fault))
            return source
        if found.node != source.node:
            self._note_departure(source, Reason.MOVED, "the next ticket is for another relay")
        _log.info("ticket.renewed", node=_name(found), moved=found.node != source.node)
        source.close()
        return found

    def _renew_now(self, source: Source | None, why: str) -> None:
        """Take the next ticket because the relay asks for it; leave it if it asks for one again and again."""
        now = self._now()
        if source is None or now - self._renewed_at < _LEAST_RENEWAL_SECONDS:
            self._leave(source, SourceError(Reason.REFUSED, why))
            return
        self._renewed_at = now
        self._source = self._renewed(source)
        if self._source is source:
            self._leave(source, SourceError(Reason.REFUSED, why))

    def _origin(self) -> Source:
        try:
            return self._admission.origin()
        except MalformedError as error:
            self._clock.sleep(_LOOK_FOR_RELAY_SECONDS)
            raise SourceError(Reason.UNREACHABLE, f"the pool's origin URL: {error}") from error

    def _leave(self, source: Source | None, fault: SourceError) -> None:
        now = self._now()
        if source is None:
            _log.warning("relay.not_joined", reason=str(fault.reason), detail=fault.detail)
            return
        self._note_departure(source, fault.reason, fault.detail)
        if source.session is None:
            # There is nowhere else to go: ask for a relay again, and give the origin a moment.
            self._clock.sleep(1.0)
        else:
            self._admission.avoid(source.node, fault.reason, now)
        self._freshness.forget(source.node)
        self._gone = 0
        self._look_again_at = 0.0
        self._close_source()

    def _note_departure(self, source: Source, reason: Reason, detail: str) -> None:
        self._report.note_departure(source.report, reason, detail, self._now())
        _log.info("relay.left", node=_name(source), reason=str(reason), detail=detail)

    def _close_source(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None

    # --- segments --------------------------------------------------------------------------

    def _playlist(self, source: Source) -> LivePlaylist:
        playlist = source.playlist(self._options.request_seconds)
        if fault := self._freshness.fault(source.node, playlist, self._now()):
            raise SourceError(Reason.STALE_PLAYLIST, fault)
        return playlist

    def _wanted(self, playlist: LivePlaylist) -> list[Segment]:
        """Return the listed segments that are still to come, oldest first."""
        end = playlist.media_sequence + len(playlist.segments)
        is_newer = playlist.published_at > self._newest_published_at
        if self._next is not None and end < self._next and is_newer:
            # A later playlist with lower numbers: the origin began anew, and so do we.
            _log.warning("stream.restarted", next=self._next, end=end)
            self._next = None
        self._newest_published_at = max(self._newest_published_at, playlist.published_at)
        if self._next is None:
            self._next = max(end - JOIN_SEGMENTS, playlist.media_sequence)
        if self._next < playlist.media_sequence:
            resumed = max(end - JOIN_SEGMENTS, playlist.media_sequence)
            self._report.segments_skipped += resumed - self._next
            _log.warning("segments.skipped", count=resumed - self._next)
            self._next = resumed
        return [each for each in playlist.segments if each.media_sequence >= self._next]

    def _take(self, source: Source, segment: Segment) -> bool:
        """Fetch, verify, count and pay one segment; False when the playlist must be fetched again first."""
        session = source.session
        if session is not None and not session.has_room(segment.length_bytes):
            renewed = self._renewed(source)
            if renewed is source or renewed.session is None:
                raise SourceError(Reason.UNPAID, "the ticket's credit is used up")
            self._source = renewed
            if not renewed.session.has_room(segment.length_bytes):
                raise SourceError(Reason.UNPAID, "the ticket's credit is less than one segment")
            return False
        try:
            self._fetch(source, segment)
        except SegmentGoneError as error:
            self._gone += 1
            if self._gone > 1:
                raise SourceError(Reason.MISSING_SEGMENT, str(error)) from error
            return False
        self._gone = 0
        arrival = self._playback.arrived(segment.duration_micros, self._micros())
        self._next = segment.media_sequence + 1
        self._count(source, segment, is_on_time=arrival.is_on_time)
        if arrival.stall_micros:
            _log.info("playback.stalled", seconds=arrival.stall_micros / MICROS)
        if self._report.startup_seconds is None and self._playback.is_playing:
            self._report.startup_seconds = self._now() - self._report.began_at
        source.pay(self._admission.time.at(self._now()))
        source.late_in_a_row = 0 if arrival.is_on_time else source.late_in_a_row + 1
        if source.late_in_a_row >= self._options.late_segments and session is not None:
            raise SourceError(Reason.LATE, f"{source.late_in_a_row} segments in a row came late")
        return True

    def _fetch(self, source: Source, segment: Segment) -> None:
        """Fetch and verify; the bytes themselves would go to a decoder."""
        buffered = self._playback.buffered_micros(self._micros()) + segment.duration_micros
        max_seconds = max(buffered / MICROS, self._options.request_seconds)
        try:
            source.segment(segment, max_seconds)
        except PaymentRequiredError:
            # The last receipt may have been lost on the way; a newer one says the same.
            source.pay(self._admission.time.at(self._now()))
            try:
                source.segment(segment, max_seconds)
            except PaymentRequiredError as error:
                raise SourceError(Reason.UNPAID, f"paid for, and yet: {error}") from error

    def _count(self, source: Source, segment: Segment, *, is_on_time: bool) -> None:
        if source.session is not None:
            source.session.count(
                segment.length_bytes, segment.media_sequence, is_on_time=is_on_time
            )
        source.report.segments += 1
        source.report.bytes_delivered += segment.length_bytes
        source.report.bytes_on_time += segment.length_bytes if is_on_time else 0

    def _wait(self, playlist: LivePlaylist) -> None:
        now = self._now()
        is_fresh = self._freshness.age_seconds(playlist, now) < _FRESH_SECONDS
        if is_fresh and self._playback.is_dry(self._micros()):
            _log.info("playback.paused", reason="the source has no newer segment")
            self._playback.pause(self._micros())
        last = playlist.segments[-1].duration_micros / MICROS if playlist.segments else 1.0
        pause = max(min(last / 4, 1.0), _LEAST_POLL_SECONDS)
        self._clock.sleep(min(pause, max(self._ends_at - now, 0.0)))


def _name(source: Source) -> str:
    return "origin" if source.report.node is None else "0x" + source.report.node.hex()
