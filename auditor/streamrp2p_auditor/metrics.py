"""What a watchman shows to its operator: the verdicts, the rounds, and what was sent to the chain."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from streamrp2p.monitoring import Checks, Monitored, Reading, Values, registry_of
from streamrp2p_auditor.watchman import Watchman

STUCK_SECONDS = 1800.0
"""Judging the largest epoch and trying every mirror ends well before."""
SILENCE_SECONDS = 120.0
"""Beside the time between two looks: after so long without a whole round the chain is not followed."""

_P = "streamrp2p_auditor_"


def _gauge(name: str, help_text: str, *labels: str) -> Reading:
    return Reading(GaugeMetricFamily, _P + name, help_text, labels)


def _counter(name: str, help_text: str, *labels: str) -> Reading:
    return Reading(CounterMetricFamily, _P + name, help_text, labels)


READINGS = (
    _counter("rounds_total", "Looks at the chain: done, failed (tried again), crashed (a bug).", "outcome"),
    _gauge("block", "Number of the newest block that was read."),
    _gauge("block_age_seconds", "Age of that block by this machine's clock."),
    _gauge("verified_epoch", "The highest epoch that was found byte-identical; absent before the first."),
    _gauge(
        "headers",
        "Headers that were looked at, by verdict (byte-identical, wrong, unjudged) and fate (pending, final, void).",
        "verdict", "fate",
    ),
    _counter(
        "transactions_total",
        "Transactions of ours that ended (mined, reverted, dropped), such as challenges and demands.",
        "purpose", "end",
    ),
    _gauge("transaction_live", "1 while a transaction of ours waits to be mined."),
    _gauge("alerts_due", "Alerts that the webhook has not taken yet."),
)  # fmt: skip


class WatchMetrics:
    """Counts rounds, and reads the rest from the watchman when it is asked."""

    def __init__(
        self,
        watchman: Watchman,
        poll_seconds: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._watchman = watchman
        self._clock = clock
        self._monotonic = monotonic
        self._silence_seconds = poll_seconds + SILENCE_SECONDS
        self._ended_at = self._done_at = monotonic()
        self._was_done = False
        self._trouble: str | None = None
        self._rounds: Counter[str] = Counter()
        self.monitored = Monitored(registry_of(READINGS, self._read), self.health, self.readiness)

    def ended(self, outcome: str, trouble: str | None = None) -> None:
        """Note how a round ended, and for one that was not done why."""
        self._rounds[outcome] += 1
        self._ended_at = self._monotonic()
        self._trouble = trouble
        if outcome == "done":
            self._done_at, self._was_done = self._ended_at, True

    def health(self) -> Checks:
        """Tell what only a restart mends: a round that hangs."""
        seconds = self._monotonic() - self._ended_at
        is_stuck = seconds > STUCK_SECONDS
        return {"rounds": f"none ended for {seconds:.0f} s; restart" if is_stuck else None}

    def readiness(self) -> Checks:
        """Tell whether the chain is followed, and nothing is wrong with the alerts."""
        seconds = self._monotonic() - self._done_at
        chain: str | None = None
        if not self._was_done:
            chain = self._trouble or "the first round has not ended yet"
        elif seconds > self._silence_seconds:
            chain = self._trouble or f"no round ended for {seconds:.0f} s"
        due = self._watchman.bell.due_count()
        return {"chain": chain, "alerts": f"{due} wait for the webhook" if due else None}

    def _read(self) -> Mapping[str, Values]:
        watchman = self._watchman
        # The watch goes on in its own thread meanwhile.
        cases = tuple(watchman.cases.values())
        values: dict[str, Values] = {
            "rounds_total": {(outcome,): count for outcome, count in self._rounds.items()},
            "headers": _counted((case.verdict, case.fate) for case in cases),
            "transactions_total": _counted(
                (one.purpose, str(one.end)) for case in cases for one in case.transactions
            ),
            "transaction_live": watchman.is_busy,
            "alerts_due": watchman.bell.due_count(),
        }
        verified = [case.epoch for case in cases if case.verdict == "byte-identical"]
        if verified:
            values["verified_epoch"] = max(verified)
        last = watchman.last_block
        if last is not None:
            values |= {"block": last.number, "block_age_seconds": self._clock() - last.time}
        return {_P + name: value for name, value in values.items()}


def _counted(labels: Iterable[tuple[str, ...]]) -> Mapping[tuple[str, ...], float]:
    return Counter(labels)
