"""A watchman with a key in this process, against real contracts: what a bug with one header does to the others."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.bundle_store import BundleStore
from streamrp2p.chain import Chain
from streamrp2p.fraud import Evidence
from streamrp2p_auditor.alerts import Bell
from streamrp2p_auditor.court import Court
from streamrp2p_auditor.prosecutor import Prosecution
from streamrp2p_auditor.state import State
from streamrp2p_auditor.steps import Limits, next_step
from streamrp2p_auditor.wallet import Wallet
from streamrp2p_auditor.watchman import Watchman
from tests.auditor.stages import challenge_stage, overpaid
from tests.auditor.test_watchman import Shelf
from tests.support.chain import STRANGER
from tests.support.stage import Stage

pytestmark = pytest.mark.integration

ROUNDS = 6


@dataclass
class Watch:
    """A watchman over two headers that are both wrong."""

    stage: Stage
    state: State
    now: float = 0.0
    watchman: Watchman = field(init=False)

    def __post_init__(self) -> None:
        wallet = Wallet(STRANGER, self.state, time.time)
        bundles = BundleStore([Shelf(self.stage.bundles)])
        bell = Bell(self.state, None, monotonic=self.monotonic)
        prosecution = Prosecution(
            wallet=wallet,
            state=self.state,
            bell=bell,
            bundles=bundles,
            batches=None,
            limits=Limits(wallet.address),
            withdraw=False,
            monotonic=self.monotonic,
        )
        self.watchman = Watchman(
            state=self.state,
            bell=bell,
            bundles=bundles,
            batches=None,
            first=None,
            is_patient=True,
            prosecutor=prosecution,
            monotonic=self.monotonic,
        )
        self.watchman.load()

    def monotonic(self) -> float:
        return self.now

    def rounds(self) -> None:
        """Look again and again, with all waits over in between, and the patience for bundles after the first time."""
        chain = self.stage.chain
        for number in range(ROUNDS):
            self.watchman.round(Chain(chain.epoch_book, chain.reward_pools, self.stage.domain))
            self.now += 1000
            if number == 0:
                chain.travel_to(chain.now() + 31)


@pytest.fixture
def watch(anvil: str, tmp_path: Path) -> Iterator[Watch]:
    stage = challenge_stage(anvil, tmp_path)
    stage.commit(overpaid(stage))
    stage.commit(overpaid(stage))
    state = State(tmp_path / "state")
    with state.locked(stage.domain):
        yield Watch(stage, state)


def bug() -> NoReturn:
    raise ValueError("a bug")


def test_a_bundle_that_no_version_of_this_reads_shields_no_other_header(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of epoch 1 it is the parent's: what epoch 1 itself shows is enough against it."""
    first = next(iter(watch.stage.bundles.values()))

    def decode(data: bytes) -> Bundle:
        return bug() if data == first else decode_bundle(data)

    for module in ("judge", "gather"):
        monkeypatch.setattr(f"streamrp2p_auditor.{module}.decode_bundle", decode)
    monkeypatch.setattr("streamrp2p.audit.decode_bundle", decode)
    watch.rounds()
    assert watch.stage.chain.epoch_book.next_epoch() == 1


def test_a_step_that_crashes_against_one_header_is_told_and_shields_no_other(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:

    def step(court: Court, evidence: Evidence, *rest: Any, **named: Any) -> Any:  # noqa: ANN401 - handed on
        return bug() if evidence.header.epoch == 0 else next_step(court, evidence, *rest, **named)

    monkeypatch.setattr("streamrp2p_auditor.prosecutor.next_step", step)
    watch.rounds()
    assert watch.stage.chain.epoch_book.next_epoch() == 1
    alerts = {case.epoch: case.alerts for case in watch.state.cases()}
    assert alerts == {0: ("wrong", "unproven"), 1: ("wrong", "void")}
