"""When each segment is due: the player's buffer as arithmetic. Pure; it is told the time and never reads it.

All times are microseconds on one monotonic clock, all durations microseconds.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the arrival of a segment meant: was it on time, and for how long had the player stood still."""

    is_on_time: bool
    stall_micros: int


class PlaybackClock:
    """Plays once `startup_micros` of media are there; each later segment is due when the media before it ends.

    A late segment stops the player until it arrives, which moves every later deadline by as much: a stall is charged to
    the segment that caused it, and to no other. A clock that is set back stands still until it catches up.
    """

    def __init__(self, startup_micros: int) -> None:
        self._startup_micros = startup_micros
        self._waiting_micros = 0
        self._runs_out_at: int | None = None
        self._paused_at: int | None = None
        self._latest = 0
        self._stalled_micros = 0
        self._paused_micros = 0
        self.stalls = 0
        """How often the player stood still for want of a segment that it could have had."""

    @property
    def is_playing(self) -> bool:
        """Whether playback has begun and is not paused (it may be stalled)."""
        return self._runs_out_at is not None

    def arrived(self, duration_micros: int, now: int) -> Arrival:
        """Take the next segment, whole since `now`. Before playback begins, every segment is on time."""
        now = self._read(now)
        if self._runs_out_at is None:
            self._waiting_micros += duration_micros
            if self._waiting_micros >= self._startup_micros:
                self._begin(now)
            return Arrival(is_on_time=True, stall_micros=0)
        stall = max(now - self._runs_out_at, 0)
        self._stalled_micros += stall
        self.stalls += stall > 0
        self._runs_out_at = max(self._runs_out_at, now) + duration_micros
        return Arrival(is_on_time=stall == 0, stall_micros=stall)

    def is_on_time(self, now: int) -> bool:
        """Tell whether something without a duration, such as a map, is on time if it is whole `now`."""
        return self._runs_out_at is None or self._read(now) <= self._runs_out_at

    def buffered_micros(self, now: int) -> int:
        """Return how much media is there that was not yet played."""
        now = self._read(now)
        if self._runs_out_at is None:
            return self._waiting_micros
        return max(self._runs_out_at - now, 0)

    def is_dry(self, now: int) -> bool:
        """Tell whether the player has begun and stands still now."""
        return self._runs_out_at is not None and self._read(now) >= self._runs_out_at

    def pause(self, now: int) -> None:
        """Stand still because the source has no more, which is no relay's fault: fill the buffer anew, as at first."""
        now = self._read(now)
        if self._runs_out_at is not None:
            self._paused_at = self._runs_out_at
            self._runs_out_at = None
            self._waiting_micros = 0

    def stalled_micros(self, now: int) -> int:
        """Return how long the player stood still so far for want of a segment, a stall that still lasts included."""
        now = self._read(now)
        lasting = 0 if self._runs_out_at is None else max(now - self._runs_out_at, 0)
        return self._stalled_micros + lasting

    def paused_micros(self, now: int) -> int:
        """Return how long the player stood still so far because the source had no more."""
        lasting = 0 if self._paused_at is None else self._read(now) - self._paused_at
        return self._paused_micros + lasting

    def _begin(self, now: int) -> None:
        self._runs_out_at = now + self._waiting_micros
        self._waiting_micros = 0
        if self._paused_at is not None:
            self._paused_micros += now - self._paused_at
            self._paused_at = None

    def _read(self, now: int) -> int:
        self._latest = max(self._latest, now)
        return self._latest
