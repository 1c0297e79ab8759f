"""Tells of what happens by itself while the story waits: headers on chain, and what the adversaries have done."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from streamrp2p.chain import BookState
from streamrp2p_demo.adversaries import double_submitter, over_reporter
from streamrp2p_demo.adversaries.corrupting_proxy import read_ledger
from streamrp2p_demo.layout import Layout
from streamrp2p_demo.market import Market

LOOK_SECONDS = 1.0
"""How often it looks: each look asks the chain."""


@dataclass(slots=True)
class Narrator:
    """Each event is told once, at the first look that finds it."""

    layout: Layout
    market: Market
    tell: Callable[[str], None]
    on_committed: Callable[[int], None]
    """Told at each look how many epochs are committed."""
    told: set[str] = field(default_factory=set)
    _look_at: float = 0.0

    def look(self, *, at_once: bool = False) -> None:
        """Tell of what is new, if it is time to look again or it must be at once."""
        if time.monotonic() < self._look_at and not at_once:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        state = self.market.book.state()
        for event in (*_headers(state), *self._adversaries()):
            if event not in self.told:
                self.told.add(event)
                self.tell(event)
        self.on_committed(state.next_epoch)

    def _adversaries(self) -> Iterator[str]:
        over_report = over_reporter.read_report(self.layout.report("over-reporter"))
        if over_report is not None:
            yield (
                f"the over-reporting viewer got {over_report.honest_bytes:,} bytes "
                f"and signed for {over_report.inflated_bytes:,}"
            )
        if double_submitter.read_report(self.layout.report("double-submitter")) is not None:
            yield "a relay handed an acknowledged receipt in again, in another batch"
        if any(
            segment.is_corrupt for segment in read_ledger(self.layout.report("corrupting-proxy"))
        ):
            yield "the corrupting relay has served its first corrupt segment"


def _headers(state: BookState) -> Iterator[str]:
    for epoch in range(state.next_epoch):
        yield f"epoch {epoch} is committed"
        if epoch < state.finalised_epochs:
            yield f"epoch {epoch} is final"
