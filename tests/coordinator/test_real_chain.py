"""The jobs on the real contracts, with the chain's clock moved by hand: bonds, vetoes, relayed registrations."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamrp2p.signatures import address_of
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.jobs import run_epochs
from streamrp2p_coordinator.sdk_chain import SdkChain
from streamrp2p_coordinator.use_cases.register_node import register_node
from streamrp2p_coordinator.use_cases.restore_epochs import restore_epochs
from tests.coordinator.actors import Node, known_key
from tests.coordinator.stage import Stage, staged
from tests.support.chain import (
    GUARDIAN,
    POSTER,
    SHORT_EPOCHS,
    STRANGER,
)

pytestmark = pytest.mark.integration

UNBONDED = replace(SHORT_EPOCHS, poster=address_of(POSTER))


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Iterator[Stage]:
    """Deploy, and take the poster's bond away again."""
    with staged(database, tmp_path, UNBONDED) as stage:
        stage.chain.send(stage.chain.epoch_book.withdraw_bond_call(), POSTER)
        yield stage


def test_bond_commit_veto_and_all_again(stage: Stage) -> None:
    epochs = stage.services.network.epochs
    stage.travel_to(epochs.intake_end(1))
    stage.tick(6)
    assert stage.chain.epoch_book.state().is_bonded
    assert stage.states()[:2] == ["committed", "committed"]
    first, second = stage.chain.epoch_book.committed()

    stage.chain.send(stage.chain.epoch_book.veto_call(1), GUARDIAN)
    run_epochs(stage.services)  # notes the veto and settles again; the commit follows
    states = stage.states()[:2]
    stage.tick(3)
    again = stage.chain.epoch_book.committed()

    assert states == ["committed", "voided"]
    assert stage.states()[:2] == ["committed", "committed"]
    assert [one.header for one in again] == [first.header, second.header]
    with stage.services.database.read() as store:
        noted = store.epochs.find(1)
    assert noted is not None
    assert noted.commit_transaction == again[1].transaction_hash != second.transaction_hash
    assert len(stage.chain.epoch_book.commits(1)) == 2

    stage.travel_to(stage.chain.now() + 30)
    stage.tick(6)
    assert stage.states()[:2] == ["final", "final"]
    assert stage.chain.epoch_book.finalised_epochs() == 2


def test_epochs_are_restored_from_the_chains_logs(stage: Stage, fresh_database: Database) -> None:
    stage.travel_to(stage.services.network.epochs.intake_end(1))
    stage.tick(6)
    restored = restore_epochs(
        database=fresh_database,
        chain=stage.services.chain,
        domain=stage.services.network.domain,
        bundles=stage.services.bundles,
        fetch=None,
    )
    assert restored == [0, 1]
    with fresh_database.read() as store, stage.services.database.read() as original:
        assert store.epochs.pending() == original.epochs.pending()


def test_what_somebody_else_finalised_is_noted(stage: Stage) -> None:
    stage.travel_to(stage.services.network.epochs.intake_end(0))
    stage.tick(4)
    stage.travel_to(stage.chain.now() + 30)
    stage.chain.send(stage.chain.epoch_book.finalise_call(0), STRANGER)
    stage.tick()
    assert stage.states()[0] == "final"


def test_a_registration_reaches_the_registry_once(stage: Stage) -> None:
    node = Node(known_key(9), stage.services.network.domain)
    signed = node.registration(payout=address_of(STRANGER), deadline=stage.chain.now() + 3600)
    for _ in range(2):
        register_node(
            signed,
            database=stage.services.database,
            chain=stage.services.chain,
            network=stage.services.network,
            clock=stage.services.clock,
        )
        stage.tick(2)
    record = stage.chain.node_registry.node(node.address)
    assert (record.payout, record.endpoint, record.nonce) == (
        address_of(STRANGER),
        "http://127.0.0.1:8200",
        1,
    )


def test_a_block_counts_once_enough_others_follow(stage: Stage) -> None:
    deep = SdkChain(stage.chain.web3, stage.chain.deployment, confirmations=3)
    assert deep.head().number == deep.newest().number - 3
    mine(stage, 3)
    pools = deep.pools(deep.head())
    stage.chain.fund_pool(amount=0)
    mine(stage, 2)
    assert deep.pools(deep.head()) == pools
    mine(stage, 1)
    assert len(deep.pools(deep.head())) == len(pools) + 1 == 2


def mine(stage: Stage, blocks: int) -> None:
    for _ in range(blocks):
        stage.travel_to(stage.chain.now() + 1)
