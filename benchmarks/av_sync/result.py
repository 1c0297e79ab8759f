"""What a rendition showed, and whether it is good enough. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean

MOST_MISSING = 0.02
"""Of the events: the first and the last may be cut in half, a busy machine's encoder may be late."""
LEAST_MISSING = 4
_WINDOW = 60
"""How many events at the beginning and at the end are compared for the drift."""


@dataclass(slots=True)
class Result:
    """Offsets between flash and beep in milliseconds, in the order of the stream."""

    flashes: int = 0
    offsets_millis: list[float] = field(default_factory=list)

    def add(self, flashes: int, offsets_seconds: list[float]) -> None:
        """Take what a piece of the stream showed."""
        self.flashes += flashes
        self.offsets_millis += [offset * 1000 for offset in offsets_seconds]

    @property
    def drift_millis(self) -> float:
        """How much the mean of the last events is above that of the first."""
        count = min(_WINDOW, len(self.offsets_millis) // 2)
        if count == 0:
            return 0.0
        return fmean(self.offsets_millis[-count:]) - fmean(self.offsets_millis[:count])

    def summary(self) -> dict[str, float]:
        """Return the figures, in milliseconds."""
        values = self.offsets_millis or [0.0]
        return {
            "flashes": self.flashes,
            "pairs": len(self.offsets_millis),
            "min": round(min(values), 2),
            "mean": round(fmean(values), 2),
            "max": round(max(values), 2),
            "drift": round(self.drift_millis, 2),
        }


def verdict(results: Mapping[str, Result], expected: float, limit_millis: float) -> list[str]:
    """Return what is wrong, in words; nothing when every offset is within the limit."""
    faults = []
    for rendition, result in results.items():
        missing = expected - len(result.offsets_millis)
        if missing > max(LEAST_MISSING, expected * MOST_MISSING):
            faults.append(f"{rendition}: {missing:g} of {expected:g} events are missing")
        worst = max(map(abs, result.offsets_millis), default=0.0)
        if worst > limit_millis:
            faults.append(f"{rendition}: an offset of {worst:.1f} ms, {limit_millis:g} are allowed")
    return faults
