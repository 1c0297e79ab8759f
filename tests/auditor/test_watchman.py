"""A watchman's rounds, on a chain that a test may change between them."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from streamrp2p.bundle_store import BundleStore
from streamrp2p.chain import Chain, EpochStatus, RpcUnavailableError
from streamrp2p.client import UnreachableError
from streamrp2p.numbers import Hash
from streamrp2p_auditor.alerts import Bell
from streamrp2p_auditor.heads import Head
from streamrp2p_auditor.state import Case, State
from streamrp2p_auditor.watchman import Watchman
from tests.auditor.fakes import CHALLENGE_SECONDS, COMMITTED_AT, FakeBook
from tests.support.epochs import DOMAIN
from tests.support.fraud import FIRST, HONEST

ALL = {one.header.data_hash: one.bundle.encode() for one in (FIRST, HONEST)}


@dataclass
class Shelf:
    """A source of bundles."""

    bundles: dict[Hash, bytes]
    name: str = "shelf"
    asked: int = 0
    bug: Hash | None = None

    def read(self, data_hash: Hash) -> bytes:
        self.asked += 1
        if data_hash == self.bug:
            raise ZeroDivisionError
        if data_hash not in self.bundles:
            raise UnreachableError("the shelf is empty")
        return self.bundles[data_hash]


@dataclass
class Accuser:
    """Notes against which epochs it is to act."""

    acted: list[int] = field(default_factory=list)
    is_busy: bool = False

    def follow(self, chain: Chain, cases: dict[str, Case]) -> None:
        pass

    def act(self, chain: Chain, case: Case, head: Head) -> Case:
        self.acted.append(case.epoch)
        return case

    def tidy(self, chain: Chain, cases: dict[str, Case]) -> None:
        pass


@dataclass
class World:
    folder: Path
    book: FakeBook = field(default_factory=lambda: FakeBook(headers=[FIRST.header, HONEST.header]))
    shelf: Shelf = field(default_factory=lambda: Shelf(dict(ALL)))
    accuser: Accuser = field(default_factory=Accuser)
    now: float = 0.0

    def watchman(self, first: int | None = None, *, is_patient: bool = True) -> Watchman:
        """Return one that starts on what is on the disk, as after kill -9."""
        state = State(self.folder)
        made = Watchman(
            state=state,
            bell=Bell(state, None, monotonic=lambda: self.now),
            bundles=BundleStore([self.shelf], kept=1),
            batches=None,
            first=first,
            is_patient=is_patient,
            prosecutor=self.accuser,
            monotonic=lambda: self.now,
        )
        made.load()
        return made

    def round(self, watchman: Watchman) -> dict[int, str]:
        """Do one round; the verdicts by epoch of what stands."""
        watchman.round(self.book.chain())
        return {case.epoch: case.verdict for case in self.state().cases() if case.fate != "void"}

    def state(self) -> State:
        return State(self.folder)

    def alerts(self, epoch: int) -> tuple[str, ...]:
        return tuple(
            kind for one in self.state().cases() if one.epoch == epoch for kind in one.alerts
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    with State(tmp_path).locked(DOMAIN):
        pass
    return World(tmp_path)


def test_what_was_judged_is_not_judged_again_also_after_a_restart(world: World) -> None:
    watchman = world.watchman()
    assert world.round(watchman) == {0: "byte-identical", 1: "byte-identical"}
    asked = world.shelf.asked
    world.round(watchman)
    world.round(world.watchman())
    assert world.shelf.asked == asked
    assert world.accuser.acted == []


def test_a_verdict_is_taken_again_when_the_chain_left_the_branch_that_it_rests_on(
    world: World,
) -> None:
    """The header is committed at the same second on the new branch, but a deposit is missing there."""
    watchman = world.watchman()
    world.round(watchman)
    world.book.blocks.branch = 2
    world.book.blocks.newest += 1
    world.book.funded = 5
    assert world.round(watchman) == {0: "wrong", 1: "wrong"}
    assert world.alerts(1) == ("wrong",)
    assert world.accuser.acted == [0, 1]


def test_a_branch_that_was_left_while_the_watchman_was_down_is_noticed(world: World) -> None:
    world.round(world.watchman())
    world.book.blocks.branch = 2
    world.book.funded = 5
    assert world.round(world.watchman()) == {0: "wrong", 1: "wrong"}


def test_what_is_doubtful_stays_so_over_a_restart_until_it_was_judged(world: World) -> None:
    world.round(world.watchman())
    world.book.blocks.branch = 2
    world.book.funded = 5
    world.shelf.bundles = {}
    assert set(world.round(world.watchman()).values()) == {"unjudged"}
    world.shelf.bundles = dict(ALL)
    assert world.round(world.watchman()) == {0: "wrong", 1: "wrong"}


def test_an_rpc_that_is_behind_says_nothing_new(world: World) -> None:
    watchman = world.watchman()
    world.round(watchman)
    headers, world.book.headers = world.book.headers, []
    world.book.blocks.newest -= 1
    world.round(watchman)
    assert {case.fate for case in world.state().cases()} == {"pending"}
    world.book.headers = headers
    world.book.blocks.newest += 2
    assert world.round(watchman) == {0: "byte-identical", 1: "byte-identical"}


def test_a_verdict_on_a_block_that_was_replaced_meanwhile_is_none(world: World) -> None:
    read = world.shelf.read

    def read_while_the_chain_moves(data_hash: Hash) -> bytes:
        world.book.blocks.branch += 1
        return read(data_hash)

    world.shelf.read = read_while_the_chain_moves  # type: ignore[method-assign]
    watchman = world.watchman()
    assert set(world.round(watchman).values()) == {"unjudged"}
    world.shelf.read = read  # type: ignore[method-assign]
    world.now += 10
    assert set(world.round(watchman).values()) == {"byte-identical"}


def test_a_bug_that_one_bundle_finds_keeps_no_other_epoch_from_its_verdict(world: World) -> None:
    world.shelf.bug = HONEST.header.data_hash
    assert world.round(world.watchman()) == {0: "byte-identical", 1: "unjudged"}
    (case,) = [one for one in world.state().cases() if one.epoch == 1]
    assert "crashed" in (case.reason or "")


def test_a_missing_bundle_is_asked_for_less_and_less_often_and_missed_in_the_end(
    world: World,
) -> None:
    world.shelf.bundles = {}
    world.book.headers = [FIRST.header]
    watchman = world.watchman()
    asked = []
    for world.now in (0, 1, 4.9, 5, 14.9, 15, 34.9, 35):
        world.round(watchman)
        asked.append(world.shelf.asked)
    assert asked == [1, 1, 1, 2, 2, 3, 3, 4]
    assert world.alerts(0) == ()
    assert world.accuser.acted == []
    world.book.blocks.time = COMMITTED_AT + CHALLENGE_SECONDS // 20
    world.round(watchman)
    assert world.alerts(0) == ("unjudged",)
    assert world.accuser.acted == [0]
    world.book.blocks.time = COMMITTED_AT + CHALLENGE_SECONDS * 3 // 4
    world.round(watchman)
    assert world.alerts(0) == ("unjudged", "window-ends")
    world.shelf.bundles = dict(ALL)
    world.now += 300
    assert world.round(watchman) == {0: "byte-identical"}
    assert world.alerts(0) == ("unjudged", "window-ends", "right")


def test_a_withheld_bundle_is_missed_also_after_the_chain_left_a_branch(world: World) -> None:
    world.shelf.bundles = {}
    world.book.headers = [FIRST.header]
    watchman = world.watchman()
    world.round(watchman)
    world.book.blocks.branch = 2
    world.book.blocks.newest += 1
    world.now += 5
    world.round(watchman)
    assert world.accuser.acted == []
    world.book.blocks.time = COMMITTED_AT + CHALLENGE_SECONDS // 20
    world.round(watchman)
    assert world.accuser.acted == [0]
    assert world.alerts(0) == ("unjudged",)


def test_a_bundle_that_was_there_before_the_chain_left_a_branch_has_time_to_come_again(
    world: World,
) -> None:
    watchman = world.watchman()
    world.round(watchman)
    world.book.blocks.branch = 2
    world.book.blocks.newest += 1
    world.book.blocks.time += CHALLENGE_SECONDS // 2
    world.shelf.bundles = {}
    assert set(world.round(watchman).values()) == {"unjudged"}
    assert world.accuser.acted == []
    world.book.blocks.time += CHALLENGE_SECONDS // 20
    world.round(watchman)
    assert world.accuser.acted == [0, 1]


def test_whoever_looks_once_is_told_at_once(world: World) -> None:
    world.shelf.bundles = {}
    world.round(world.watchman(is_patient=False))
    assert world.alerts(0) == world.alerts(1) == ("unjudged",)


def test_final_epochs_are_judged_on_request_one_a_round(world: World) -> None:
    world.book.finalised = 2
    world.book.funded = 5
    assert world.round(world.watchman()) == {}
    watchman = world.watchman(first=0)
    assert watchman.round(world.book.chain())
    assert not watchman.round(world.book.chain())
    assert world.alerts(0) == world.alerts(1) == ("final",)
    assert world.accuser.acted == []


def test_a_final_epoch_whose_bundle_is_missing_is_judged_later(world: World) -> None:
    world.book.finalised = 2
    world.shelf.bundles = {}
    watchman = world.watchman(first=1)
    assert world.round(watchman) == {1: "unjudged"}
    world.shelf.bundles = dict(ALL)
    world.now += 299
    assert world.round(watchman) == {1: "unjudged"}
    world.now += 1
    assert world.round(watchman) == {1: "byte-identical"}


def test_a_final_epoch_that_is_judged_later_is_not_forgotten_when_the_rpc_fails_just_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.book.finalised = 2
    world.shelf.bundles = {}
    watchman = world.watchman(first=1)
    world.round(watchman)
    world.shelf.bundles = dict(ALL)
    world.now += 300
    with monkeypatch.context() as patch:

        def fail(*_: object) -> EpochStatus:
            raise RpcUnavailableError("the RPC does not answer")

        patch.setattr(world.book, "status", fail)
        with pytest.raises(RpcUnavailableError):
            world.round(watchman)
    assert world.round(watchman) == {1: "byte-identical"}


def test_a_wrong_header_that_became_final_is_the_worst_alert(world: World) -> None:
    world.book.funded = 5
    watchman = world.watchman()
    world.round(watchman)
    world.book.finalised = 1
    world.round(watchman)
    assert world.alerts(0) == ("wrong", "final")
    assert {case.epoch: case.fate for case in world.state().cases()} == {0: "final", 1: "pending"}


def test_a_voided_header_ends_its_case_and_begins_it_again_when_it_stands_after_all(
    world: World,
) -> None:
    world.book.funded = 5
    watchman = world.watchman()
    world.round(watchman)
    headers, world.book.headers = world.book.headers, []
    world.round(watchman)
    assert {case.fate for case in world.state().cases()} == {"void"}
    assert world.alerts(0) == ("wrong", "void")
    world.book.headers = headers
    world.accuser.acted.clear()
    world.round(watchman)
    assert {case.fate for case in world.state().cases()} == {"pending"}
    assert world.accuser.acted == [0, 1]
