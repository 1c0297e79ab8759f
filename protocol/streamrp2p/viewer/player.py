"""The viewer's loop: playlist, segments, receipts, until the time is over."""

from collections.abc import Callable

import structlog

from streamrp2p.node_client import PaymentRequiredError
from streamrp2p.playlist import MediaObject, MediaPlaylist, Segment
from streamrp2p.viewer.admission import Admission
from streamrp2p.viewer.errors import SessionOverError, SourceError
from streamrp2p.viewer.freshness import Freshness
from streamrp2p.viewer.options import Clock, WatchOptions
from streamrp2p.viewer.playback import PlaybackClock
from streamrp2p.viewer.renditions import chosen
from streamrp2p.viewer.report import Reason, WatchReport
from streamrp2p.viewer.source import GoneError, Source
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
        self._rendition: str | None = None
        self._latest: MediaPlaylist | None = None
        self._map: MediaObject | None = None
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
            if source.is_draining and self._sources.move_from_draining(source):
                return
            wanted = self._wanted(playlist)
            for segment in wanted:
                if self._now() >= self._ends_at or not self._take(source, segment):
                    return
            self._gone = 0
            if not wanted:
                self._wait(playlist)
        except GoneError as error:
            self._ask_anew(error)
        except SessionOverError as error:
            self._sources.renew_now(str(error))
        except SourceError as fault:
            self._leave(fault)

    def _leave(self, fault: SourceError) -> None:
        if self._sources.current is not None:
            self._freshness.forget(self._sources.current.node)
        self._gone = 0
        self._sources.leave(fault)

    def _ask_anew(self, error: GoneError) -> None:
        """Begin with the multivariant playlist: what the relay lacks may be gone from the stream too."""
        self._gone += 1
        self._rendition = self._latest = None
        if self._gone > 1:
            self._leave(SourceError(Reason.MISSING_OBJECT, str(error)))
        else:
            self._clock.sleep(LEAST_POLL_SECONDS)

    def _playlist(self, source: Source) -> MediaPlaylist:
        seconds = self._options.request_seconds
        if self._rendition is None:
            variants = source.multivariant(seconds).variants
            rate = self._admission.pool.max_bytes_per_second
            self._rendition = chosen(variants, self._options.rendition, rate).rendition
            self._report.rendition = self._rendition
            _log.info("rendition_chosen", rendition=self._rendition)
        playlist = self._awaited(source) or source.media(self._rendition, self._latest, seconds)
        if fault := self._freshness.fault(source.node, playlist, self._now()):
            raise SourceError(Reason.STALE_PLAYLIST, fault)
        self._latest = playlist
        return playlist

    def _awaited(self, source: Source) -> MediaPlaylist | None:
        """Wait at the source for the segment that comes next, if it offers that and all others were taken."""
        latest = self._latest
        if latest is None or not latest.server_control.can_block_reload:
            return None
        if self._next != latest.next_sequence:
            return None
        seconds = self._options.request_seconds
        if self._playback.is_playing:
            # Not beyond the last moment at which the source's own silence can still be told from a relay's.
            buffered = self._playback.buffered_micros(self._micros()) / MICROS
            seconds = min(max(buffered, LEAST_POLL_SECONDS), seconds)
        return source.newer(latest, seconds)

    def _wanted(self, playlist: MediaPlaylist) -> list[Segment]:
        """Return the listed segments that are still to come, oldest first."""
        end = playlist.next_sequence
        is_newer = playlist.published_at > self._newest_published_at
        if self._next is not None and end < self._next and is_newer:
            # A later playlist with lower numbers: the origin began anew, and so do we.
            _log.warning("stream_restarted", next=self._next, end=end)
            self._next = None
        self._newest_published_at = max(self._newest_published_at, playlist.published_at)
        begin = max(end - JOIN_SEGMENTS, playlist.media_sequence)
        if self._next is None:
            self._next = begin
        elif self._next < playlist.media_sequence:
            _log.warning("segments_skipped", count=begin - self._next)
            self._report.segments_skipped += begin - self._next
            self._next = begin
        return [each for each in playlist.segments if each.media_sequence >= self._next]

    def _take(self, source: Source, segment: Segment) -> bool:
        """Fetch, verify, count and pay one segment and, before it, a new map; False when it must be tried again."""
        if segment.map is not None and segment.map != self._map:
            if not self._is_covered(source, segment.map):
                return False
            self._fetch(source, segment.map, segment)
            is_on_time = self._playback.is_on_time(self._micros())
            source.count_map(segment.map, segment.media_sequence, is_on_time=is_on_time)
            self._map = segment.map
            source.pay(self._admission.time.at(self._now()))
        if not self._is_covered(source, segment.object):
            return False
        self._fetch(source, segment.object, segment)
        self._next = segment.media_sequence + 1
        arrival = self._playback.arrived(segment.duration_micros, self._micros())
        source.count_segment(segment, is_on_time=arrival.is_on_time)
        if arrival.stall_micros:
            _log.info("playback_stalled", seconds=arrival.stall_micros / MICROS)
        if self._report.startup_seconds is None and self._playback.is_playing:
            self._report.startup_seconds = self._now() - self._report.began_at
        source.pay(self._admission.time.at(self._now()))
        if source.session is not None and source.late_in_a_row >= self._options.late_segments:
            raise SourceError(Reason.LATE, f"{source.late_in_a_row} segments in a row came late")
        return True

    def _is_covered(self, source: Source, wanted: MediaObject) -> bool:
        """Tell whether a receipt for the object would be accepted now; if not, renew the ticket, or wait a little."""
        session = source.session
        if session is None:
            return True
        if not session.has_room(wanted.length_bytes):
            if session.bytes_delivered == 0:
                raise SourceError(Reason.UNPAID, "the ticket's credit is less than one object")
            if not self._sources.renew(source):
                raise SourceError(Reason.UNPAID, "the ticket's credit is used up")
            return False
        wait_seconds = session.seconds_until(
            wanted.length_bytes,
            self._admission.time.at(self._now()),
            self._admission.pool.max_bytes_per_second,
            self._admission.config.rate_slack_seconds,
        )
        if wait_seconds > MAX_PACE_SECONDS:
            raise SourceError(Reason.UNPAID, "the pool's bytes per second do not cover its stream")
        if wait_seconds > 0:
            self._clock.sleep(min(wait_seconds, LEAST_POLL_SECONDS))
        return wait_seconds <= 0

    def _fetch(self, source: Source, wanted: MediaObject, segment: Segment) -> None:
        """Fetch and verify what the segment needs; the bytes themselves would go to a decoder."""
        buffered = self._playback.buffered_micros(self._micros()) + segment.duration_micros
        max_seconds = max(buffered / MICROS, self._options.request_seconds)
        try:
            source.object(wanted, max_seconds)
        except PaymentRequiredError:
            # The last receipt may have been lost on the way; a newer one says the same.
            source.pay(self._admission.time.at(self._now()))
            try:
                source.object(wanted, max_seconds)
            except PaymentRequiredError as error:
                raise SourceError(Reason.UNPAID, f"paid for, and yet: {error}") from error

    def _wait(self, playlist: MediaPlaylist) -> None:
        now = self._now()
        is_fresh = self._freshness.age_seconds(playlist, now) < FRESH_SECONDS
        if is_fresh and self._playback.is_dry(self._micros()):
            _log.info("playback_paused", reason="the source has no newer segment")
            self._playback.pause(self._micros())
        last = playlist.segments[-1].duration_micros / MICROS if playlist.segments else 1.0
        pause = max(min(last / 4, 1.0), LEAST_POLL_SECONDS)
        self._clock.sleep(min(pause, max(self._ends_at - now, 0.0)))

    def _now(self) -> float:
        return self._clock.monotonic()

    def _micros(self) -> int:
        return round(self._now() * MICROS)
