"""How a speed is measured: the median of some rounds, so that one busy moment does not count."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Measurement:
    """The time that one item of some work takes."""

    work: str
    seconds_per_item: float


def measured(
    work: str, run: Callable[[], object], *, items: int, rounds: int = ROUNDS
) -> Measurement:
    """Call `run`, which handles `items` items, once to warm up and then `rounds` times."""
    run()
    durations = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        durations.append(time.perf_counter() - start)
    return Measurement(work, statistics.median(durations) / items)
