"""What the operator of a coordinator is told of."""

from collections.abc import Mapping

import pytest

from streamrp2p.errors import StreamrP2PError
from streamrp2p.notifications import Notifier
from streamrp2p_coordinator.jobs import run_epochs, run_observation
from streamrp2p_coordinator.leadership import Leadership
from tests.coordinator.world import GENESIS, World


class Down(StreamrP2PError):  # noqa: N818 - what it says of the chain
    retryable = True


class Told(Notifier):
    """Notes what it is told, and tells nobody."""

    def __init__(self) -> None:
        self.troubles: Mapping[str, str] = {}
        self.events: list[str] = []

    def update(self, troubles: Mapping[str, str]) -> None:
        self.troubles = troubles

    def tell(self, name: str, text: str) -> None:
        self.events.append(name)

    def close(self) -> None:
        pass


@pytest.fixture
def told(world: World) -> Told:
    told = Told()
    world.services.notifier = told
    world.services.low_balance_wei = 5 * 10**16
    return told


def test_a_coordinator_that_is_well_tells_nothing(world: World, told: Told) -> None:
    world.tick()
    run_observation(world.services)
    assert (told.troubles, told.events) == ({}, [])


def test_a_poster_that_runs_out_of_ether_or_is_not_bonded(world: World, told: Told) -> None:
    world.chain.balances[world.services.poster.address] = 10**16
    world.chain.bond = 0
    run_observation(world.services)
    assert set(told.troubles) == {"low balance", "no bond"}


def test_epochs_that_are_not_committed(world: World, told: Told) -> None:
    world.travel_to(GENESIS + 320)
    run_observation(world.services)
    assert set(told.troubles) == {"epochs not committed"}
    assert told.troubles["epochs not committed"].startswith("3 epochs")


def test_a_silent_chain_is_told_beside_what_was_wrong_before(world: World, told: Told) -> None:
    world.chain.balances[world.services.poster.address] = 10**16
    run_observation(world.services)

    def down() -> None:
        raise Down("the RPC is silent")

    world.chain.newest = down  # type: ignore[method-assign, assignment]
    run_epochs(world.services)
    run_observation(world.services)
    assert told.troubles["job sync_pools fails"] == "the RPC is silent"
    assert "low balance" in told.troubles


def test_who_leads_no_more_tells_of_no_job_that_another_does(world: World) -> None:
    world.services.failures |= {"settle": "the disk is full", "health": "the disk is full"}
    other = Leadership(world.database, world.clock)
    world.services.leadership.resign()
    assert other.take() is not None
    run_epochs(world.services)
    assert world.services.failures == {"health": "the disk is full"}


def test_a_job_that_crashed_is_told_of_until_it_runs_again(world: World, told: Told) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.chain, "pools", None)
        run_epochs(world.services)
    run_observation(world.services)
    assert "crashed" in told.troubles["job sync_pools fails"]
    run_epochs(world.services)
    assert world.services.failures == {}


def test_a_header_that_was_voided_is_told_when_it_happens(world: World, told: Told) -> None:
    world.travel_to(GENESIS + 220)
    world.tick()
    world.tick()
    world.chain.veto(0)
    world.tick()
    assert "headers voided" in told.events
