"""Tells of what happens by itself while the story waits: headers on chain, and what the adversaries have done."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from streamrp2p.amounts import format_ether
from streamrp2p.chain import BookState
from streamrp2p_demo.adversaries import double_submitter, inflating_poster, over_reporter
from streamrp2p_demo.adversaries.corrupting_proxy import read_ledger
from streamrp2p_demo.challenges import challenges_of
from streamrp2p_demo.facts import Challenge
from streamrp2p_demo.layout import Layout
from streamrp2p_demo.market import Market
from streamrp2p_demo.stack import INFLATING_POSTER

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
    on_voided: Callable[[int], None] = field(default=lambda _: None)
    """Told once of each voiding, from which epoch on."""
    is_watched: bool = False
    """Whether headers may be challenged in this run."""
    told: set[str] = field(default_factory=set)
    voided: list[int] = field(default_factory=list)
    """The epoch of each voiding that was told."""
    _look_at: float = 0.0

    def look(self, *, at_once: bool = False) -> None:
        """Tell of what is new, if it is time to look again or it must be at once."""
        if time.monotonic() < self._look_at and not at_once:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        # In this order: what the state still has may be void by now, but not the other way round.
        news = (*self._inflation(), *self._voided()) if self.is_watched else ()
        state = self.market.book.state()
        for event in (*news, *_headers(state, self.voided), *self._adversaries()):
            if event not in self.told:
                self.told.add(event)
                self.tell(event)
        self.on_committed(state.next_epoch)

    def _inflation(self) -> Iterator[str]:
        inflation = inflating_poster.read_report(self.layout.report(INFLATING_POSTER))
        if inflation is not None:
            yield (
                f"epoch {inflation.epoch}: the poster settles {inflation.settled_bytes:,} bytes of a session "
                f"whose viewer signed for {inflation.signed_bytes:,}"
            )

    def _voided(self) -> Iterator[str]:
        new = self.market.book.voidings()[len(self.voided) :]
        for challenge in challenges_of(self.market, new):
            self.voided.append(challenge.epoch)
            self.on_voided(challenge.epoch)
            yield from challenge_lines(challenge)

    def _adversaries(self) -> Iterator[str]:
        over_report = over_reporter.read_report(self.layout.report("over-reporter"))
        if over_report is not None:
            yield (
                f"the over-reporting viewer got {over_report.honest_bytes:,} bytes "
                f"and signed for {over_report.inflated_bytes:,}"
            )
        if double_submitter.read_report(self.layout.report("double-submitter")) is not None:
            yield "a relay handed an acknowledged receipt in again, in another batch"
        if any(served.is_corrupt for served in read_ledger(self.layout.report("corrupting-proxy"))):
            yield "the corrupting relay has served its first corrupt object"


def challenge_lines(challenge: Challenge) -> Iterator[str]:
    """Tell of a challenge: by which rule and transaction, how early, and who was credited."""
    yield (
        f"epoch {challenge.epoch}: voided by {challenge.function} {challenge.seconds_left} s "
        f"before its window's end, in 0x{challenge.transaction_hash.hex()}"
    )
    yield (
        f"epoch {challenge.epoch}: {format_ether(challenge.burned_wei)} of the bond are burned, "
        f"{format_ether(challenge.reward_wei)} credited to 0x{challenge.challenger.hex()}"
    )


def _headers(state: BookState, voided: Collection[int]) -> Iterator[str]:
    for epoch in range(state.next_epoch):
        again = " again, by a poster that has bonded again" if epoch in voided else ""
        yield f"epoch {epoch} is committed{again}"
        if epoch < state.finalised_epochs:
            yield f"epoch {epoch} is final"
