"""What happens by itself is told once, in the order of the epochs."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from streamrp2p_demo.adversaries import over_reporter
from streamrp2p_demo.layout import Layout
from streamrp2p_demo.market import Market
from streamrp2p_demo.narrator import Narrator
from tests.demo.scenario import GOOD


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
