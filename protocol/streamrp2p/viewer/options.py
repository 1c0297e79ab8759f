"""What a viewer is asked to do, and the time that it lives by."""

from dataclasses import dataclass
from typing import Protocol


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
    rendition: str | None = None
    """Which to watch; None for the highest that the pool's bytes per second cover."""
    request_seconds: float = 3.0
    """Silence after which a relay counts as unreachable."""
