"""What hashing, signing and verifying cost a viewer's device. Pure."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.costs.exchanges import Exchanges
from benchmarks.costs.receipts import GB, HOUR_SECONDS, Paid
from benchmarks.costs.report import Kind, Row

JOBS = {"hash": "hashMillis", "sign": "signMillis", "verify": "verifyMillis"}
"""The worker's jobs, and what the player's statistics call them."""
ALL_JOBS = "all three"
_MILLIS = 1000


@dataclass(frozen=True, slots=True)
class Moment:
    """The player's counters at some moment."""

    at: float
    delivered_bytes: int
    cpu_millis: dict[str, float]
    browser_cpu_seconds: float
    receipts: Exchanges


def paid(moments: Sequence[Moment]) -> Paid:
    """Return the receipts of the whole watch."""
    first, last = moments[0], moments[-1]
    return Paid(
        last.receipts - first.receipts,
        last.delivered_bytes - first.delivered_bytes,
        last.at - first.at,
    )


def player_rows(moments: Sequence[Moment]) -> Iterator[Row]:
    """Tell of the medians of the windows between the moments."""

    def median(spent: Callable[[Moment], float], by: Callable[[Moment], float]) -> float:
        return statistics.median(
            (spent(end) - spent(begin)) / (by(end) - by(begin)) for begin, end in pairwise(moments)
        )

    def seconds(job: str) -> Callable[[Moment], float]:
        return lambda moment: moment.cpu_millis[job] / _MILLIS

    shares = []
    for job in JOBS:
        yield Row(
            f"{job}, each GB", median(seconds(job), lambda each: each.delivered_bytes) * GB, "s"
        )
        shares.append(median(seconds(job), lambda each: each.at))
        yield Row(f"{job}, each hour", shares[-1] * HOUR_SECONDS, "s")
    yield Row(ALL_JOBS, 100 * sum(shares), "% of a core", Kind.COMPUTED)
    browser = median(lambda each: each.browser_cpu_seconds, lambda each: each.at)
    yield Row("beside it, the whole browser that plays", 100 * browser, "% of a core")
