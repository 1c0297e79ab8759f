"""The viewer's loop: playlist, segments, receipts, until the time is over."""

from collections.abc import Callable

import structlog

from streamrp2p.node_client import PaymentRequiredError
from streamrp2p.playlist_v0 import LivePlaylist, Segment
from streamrp2p.viewer.admission import Admission
from streamrp2p.viewer.errors import SessionOverError, SourceError
from streamrp2p.viewer.freshness import Freshness
from streamrp2p.viewer.options import Clock, WatchOptions
from streamrp2p.viewer.playback import PlaybackClock
from streamrp2p.viewer.report import Reason, WatchReport
from streamrp2p.viewer.source import SegmentGoneError, Source
from streamrp2p.viewer.sources import Sources

_log = structlog.get_logger()

MICROS = 1_000_000
JOIN_SEGMENTS = 3
"""How far behind the live edge a player begins (RFC 8216, section 6.3.3)."""
FRESH_SECONDS = 4.0
"""A playlist this young that lists nothing new proves that the source has nothing new: it is signed every two."""
LEAST_POLL_SECONDS = 0.2
MAX_PACE_SECONDS = 10
"""A wait for the pool's rate that is longer than this would never end."""


class Player:
    """Plays as a player would. Decisions are the pure modules'; this fetches, counts, pays and waits."""

    def __init__(
        self, options: WatchOptions, clock: Clock, admission: Admission, report: WatchReport
    ) -> None:
        self._options = options
        self._clock = clock
        self._admission = admission
        self._report = report
        self._sources = Sources(clock, admission, report)
        self._playback = PlaybackClock(round(options.startup_seconds * MICROS))
        self._freshness = Freshness(options.stale_seconds)
        self._next: int | None = None
        self._newest_published_at = 0
        self._gone = 0
        self._ends_at = clock.monotonic() + options.seconds

    def play(self, should_stop: Callable[[], bool]) -> None:
        """Watch until the time is over, then complete the report."""
        try:
            while self._now() < self._ends_at and not should_stop():
                self._step()
        finally:
            self._sources.close()
            now, report = self._now(), self._report
            report.watched_seconds = now - report.began_at
            report.stalls = self._playback.stalls
            report.stalled_seconds = self._playback.stalled_micros(self._micros()) / MICROS
            report.paused_seconds = self._playback.paused_micros(self._micros()) / MICROS

    def _step(self) -> None:
        """Read the playlist once and take what is new in it."""
        try:
            source = self._sources.right_one()
            playlist = self._playlist(source)
            wanted = self._wanted(playlist)
            for segment in wanted:
                if self._now() >= self._ends_at or not self._take(source, segment):
                    return
            if not wanted:
                self._wait(playlist)
        except SessionOverError as error:
            self._sources.renew_now(str(error))
        except SourceError as fault:
            if self._sources.current is not None:
                self._freshness.forget(self._sources.current.node)
            self._gone = 0
            self._sources.leave(fault)

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
        begin = max(end - JOIN_SEGMENTS, playlist.media_sequence)
        if self._next is None:
            self._next = begin
        elif self._next < playlist.media_sequence:
            _log.warning("segments.skipped", count=begin - self._next)
            self._report.segments_skipped += begin - self._next
            self._next = begin
        return [each for each in playlist.segments if each.media_sequence >= self._next]

    def _take(self, source: Source, segment: Segment) -> bool:
        """Fetch, verify, count and pay one segment; False when the playlist must be fetched again first."""
        if not self._is_covered(source, segment):
            return False
        try:
            self._fetch(source, segment)
        except SegmentGoneError as error:
            self._gone += 1
            if self._gone > 1:
                raise SourceError(Reason.MISSING_SEGMENT, str(error)) from error
            self._clock.sleep(LEAST_POLL_SECONDS)
            return False
        self._gone = 0
        self._next = segment.media_sequence + 1
        arrival = self._playback.arrived(segment.duration_micros, self._micros())
        source.count(segment, is_on_time=arrival.is_on_time)
        if arrival.stall_micros:
            _log.info("playback.stalled", seconds=arrival.stall_micros / MICROS)
        if self._report.startup_seconds is None and self._playback.is_playing:
            self._report.startup_seconds = self._now() - self._report.began_at
        source.pay(self._admission.time.at(self._now()))
        if source.session is not None and source.late_in_a_row >= self._options.late_segments:
            raise SourceError(Reason.LATE, f"{source.late_in_a_row} segments in a row came late")
        return True

    def _is_covered(self, source: Source, segment: Segment) -> bool:
        """Tell whether a receipt for the segment would be accepted now; if not, renew the ticket, or wait a little."""
        session = source.session
        if session is None:
            return True
        if not session.has_room(segment.length_bytes):
            if session.bytes_delivered == 0:
                raise SourceError(Reason.UNPAID, "the ticket's credit is less than one segment")
            if not self._sources.renew(source):
                raise SourceError(Reason.UNPAID, "the ticket's credit is used up")
            return False
        wait_seconds = session.seconds_until(
            segment.length_bytes,
            self._admission.time.at(self._now()),
            self._admission.pool.max_bytes_per_second,
            self._admission.config.rate_slack_seconds,
        )
        if wait_seconds > MAX_PACE_SECONDS:
            raise SourceError(Reason.UNPAID, "the pool's bytes per second do not cover its stream")
        if wait_seconds > 0:
            self._clock.sleep(min(wait_seconds, LEAST_POLL_SECONDS))
        return wait_seconds <= 0

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

    def _wait(self, playlist: LivePlaylist) -> None:
        now = self._now()
        is_fresh = self._freshness.age_seconds(playlist, now) < FRESH_SECONDS
        if is_fresh and self._playback.is_dry(self._micros()):
            _log.info("playback.paused", reason="the source has no newer segment")
            self._playback.pause(self._micros())
        last = playlist.segments[-1].duration_micros / MICROS if playlist.segments else 1.0
        pause = max(min(last / 4, 1.0), LEAST_POLL_SECONDS)
        self._clock.sleep(min(pause, max(self._ends_at - now, 0.0)))

    def _now(self) -> float:
        return self._clock.monotonic()

    def _micros(self) -> int:
        return round(self._now() * MICROS)
