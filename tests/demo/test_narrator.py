"""What happens by itself is told once, in the order of the epochs."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from streamrp2p_demo import narrator as narrator_module
from streamrp2p_demo.adversaries import inflating_poster, over_reporter
from streamrp2p_demo.facts import Challenge
from streamrp2p_demo.layout import Layout
from streamrp2p_demo.market import Market
from streamrp2p_demo.narrator import Narrator
from streamrp2p_demo.stack import INFLATING_POSTER
from tests.demo.scenario import CHALLENGE, FRAUD, GOOD


@dataclass
class State:
    next_epoch: int = 0
    finalised_epochs: int = 0


class Chain:
    """Stands for the market: one book with one state."""

    def __init__(self) -> None:
        self.book = self
        self.now = State()

    def state(self) -> State:
        return self.now


def test_headers_are_told_when_committed_and_when_final(tmp_path: Path) -> None:
    events: list[str] = []
    chain = Chain()
    narrator = Narrator(Layout(tmp_path), cast("Market", chain), events.append, lambda _: None)

    narrator.look(at_once=True)
    chain.now = State(next_epoch=1)
    narrator.look(at_once=True)
    narrator.look(at_once=True)
    chain.now = State(next_epoch=2, finalised_epochs=1)
    narrator.look(at_once=True)

    assert events == ["epoch 0 is committed", "epoch 0 is final", "epoch 1 is committed"]


def test_the_chain_is_not_asked_more_than_once_a_second(tmp_path: Path) -> None:
    events: list[str] = []
    chain = Chain()
    narrator = Narrator(Layout(tmp_path), cast("Market", chain), events.append, lambda _: None)

    narrator.look()
    chain.now = State(next_epoch=1)
    narrator.look()

    assert events == []


def test_whoever_audits_hears_how_many_epochs_are_committed(tmp_path: Path) -> None:
    heard: list[int] = []
    chain = Chain()
    narrator = Narrator(
        Layout(tmp_path), cast("Market", chain), lambda _: None, on_committed=heard.append
    )

    narrator.look(at_once=True)
    chain.now = State(next_epoch=2)
    narrator.look(at_once=True)

    assert heard == [0, 2]


def test_what_an_adversary_reports_is_told(tmp_path: Path) -> None:
    events: list[str] = []
    layout = Layout(tmp_path)
    layout.make()
    assert GOOD.over_report is not None
    over_reporter.write_report(layout.report("over-reporter"), GOOD.over_report)

    Narrator(layout, cast("Market", Chain()), events.append, lambda _: None).look()

    assert events == ["the over-reporting viewer got 2,000 bytes and signed for 900,000"]


class WatchedChain(Chain):
    """A market whose headers may be voided; each voiding is read once."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Challenge] = []

    def voidings(self) -> list[Challenge]:
        return list(self.found)


def test_a_lie_its_voiding_and_the_honest_commit_are_told_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    voided: list[int] = []
    layout = Layout(tmp_path)
    layout.make()
    chain = WatchedChain()
    monkeypatch.setattr(narrator_module, "challenges_of", lambda _, found: tuple(found))
    narrator = Narrator(
        layout, cast("Market", chain), events.append, lambda _: None, voided.append, is_watched=True
    )
    assert FRAUD.inflation is not None
    inflating_poster.write_report(layout.report(INFLATING_POSTER), FRAUD.inflation)

    chain.now = State(next_epoch=1)
    narrator.look(at_once=True)
    chain.found, chain.now = [CHALLENGE], State(next_epoch=0)
    narrator.look(at_once=True)
    narrator.look(at_once=True)
    chain.now = State(next_epoch=1)
    narrator.look(at_once=True)

    assert events == [
        "epoch 0: the poster settles 4,001 bytes of a session whose viewer signed for 4,000",
        "epoch 0 is committed",
        f"epoch 0: voided by Challenges.badSession 11 s before its window's end, in 0x{'0c' * 32}",
        f"epoch 0: 0.5 ETH of the bond are burned, 0.5 ETH credited to 0x{'15' * 20}",
        "epoch 0 is committed again, by a poster that has bonded again",
    ]
    assert voided == [0]
