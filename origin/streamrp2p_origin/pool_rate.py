"""Whether the pool's rate, which bounds what viewers are credited with, covers the renditions. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from streamrp2p_origin.ladder import Ladder

LEAST_MICROS = 10_000_000
"""Of media before its rate is judged: single segments of an even stream differ."""
_BITS = 8
_KBIT = 1000
_MICROS = 1_000_000
_STEP_BYTES = 10_000
"""What an advised rate is rounded up to."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A rendition that is more than the pool's rate. Rates are in bytes per second."""

    rendition: str
    bytes_per_second: int
    max_bytes_per_second: int

    def shown(self) -> dict[str, object]:
        """Return the facts for the log, with what to do: the rate to set is a third more than the rendition's."""
        steps = -(-self.bytes_per_second * 4 // (3 * _STEP_BYTES))
        return {
            "rendition": self.rendition,
            "kbit": self.bytes_per_second * _BITS // _KBIT,
            "pool_kbit": self.max_bytes_per_second * _BITS // _KBIT,
            "advice": "viewers cannot pay for all of it, and players choose a smaller one: raise the pool's rate "
            f"(streamrp2p pool stream --max-bytes-per-second {steps * _STEP_BYTES}), or give the encoder or "
            "--ladder a lower bit rate",
        }


def stated_shortfall(ladder: Ladder, max_bytes_per_second: int) -> Shortfall | None:
    """Return the largest rendition whose stated bit rate is beyond the pool's, before an encoder has come."""
    stated = ((rung.name, rung.kbit * _KBIT // _BITS) for rung in ladder.rungs if rung.kbit)
    return _largest(stated, max_bytes_per_second)


class RateGauge:
    """What the renditions of one visit really take, sound included."""

    def __init__(self, max_bytes_per_second: int) -> None:
        self._max_bytes_per_second = max_bytes_per_second
        self._got: dict[str, tuple[int, int]] = {}
        """Bytes and microseconds."""

    def add(self, rendition: str, length_bytes: int, duration_micros: int) -> None:
        """Take note of a part."""
        length, micros = self._got.get(rendition, (0, 0))
        self._got[rendition] = (length + length_bytes, micros + duration_micros)

    def shortfall(self) -> Shortfall | None:
        """Return the largest rendition that is beyond the pool's rate, once there is enough to judge by."""
        rates = (
            (name, length * _MICROS // micros)
            for name, (length, micros) in self._got.items()
            if micros >= LEAST_MICROS
        )
        return _largest(rates, self._max_bytes_per_second)


def _largest(rates: Iterable[tuple[str, int]], max_bytes_per_second: int) -> Shortfall | None:
    found = [Shortfall(name, rate, max_bytes_per_second) for name, rate in rates]
    largest = max(found, key=lambda each: each.bytes_per_second, default=None)
    if largest is None or largest.bytes_per_second <= max_bytes_per_second:
        return None
    return largest
