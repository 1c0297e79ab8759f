"""The poster's transactions on a real chain: reorganised, too cheap, too dear, over RPCs that freeze."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamrp2p.chain import Fees, connect
from streamrp2p.chain.rpc import TIMEOUT_SECONDS, request
from streamrp2p.chain.transactions import fees_of
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.health import readiness
from streamrp2p_coordinator.jobs import run_epochs
from streamrp2p_coordinator.repositories.transactions import RecordedTransaction
from streamrp2p_coordinator.sdk_chain import SdkChain
from streamrp2p_coordinator.use_cases.send_transactions import PATIENCE_SECONDS
from tests.coordinator.stage import Stage, staged
from tests.support.anvil import CHAIN_ID
from tests.support.chain import SHORT_EPOCHS
from tests.support.rpcs import rpc_before

pytestmark = pytest.mark.integration

GWEI = 10**9
CEILING = Fees(100 * GWEI, 3 * GWEI)


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Iterator[Stage]:
    with staged(database, tmp_path, SHORT_EPOCHS) as stage:
        stage.services.chain = SdkChain(
            stage.chain.web3, stage.chain.deployment, ceiling=CEILING, urgent_ceiling=CEILING
        )
        yield stage


def rpc(stage: Stage, method: str, *params: object) -> None:
    request(stage.chain.web3, method, list(params))


def recorded(stage: Stage) -> list[RecordedTransaction]:
    with stage.services.database.read() as store:
        return store.transactions.unsettled(stage.services.poster.address, 0)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_blocks_that_are_taken_back_are_made_good(stage: Stage, depth: int) -> None:
    """With the third, the chain's time goes back to before the second commit was due."""
    stage.travel_to(stage.services.network.epochs.intake_end(0))
    stage.tick(2)
    stage.travel_to(stage.services.network.epochs.intake_end(1))
    stage.tick(3)
    before = [one.header_hash for one in stage.chain.epoch_book.committed()]
    assert (len(before), stage.states()[:2]) == (2, ["final", "committed"])
    hashes = [one.signed.hash for one in recorded(stage)]

    rpc(stage, "anvil_reorg", depth, [])
    stage.tick(3)
    stage.travel_to(stage.services.network.epochs.intake_end(1) + 1)
    stage.tick(4)
    stage.travel_to(stage.chain.now() + SHORT_EPOCHS.challenge_seconds)
    stage.tick(3)
    assert stage.states()[:2] == ["final", "final"]
    assert [one.header_hash for one in stage.chain.epoch_book.committed()][:2] == before
    assert [len(stage.chain.epoch_book.commits(epoch)) for epoch in range(2)] == [1, 1]
    again = {one.signed.hash: one.state for one in recorded(stage)}
    assert [again[one] == "mined" for one in hashes] == [True] + [depth < 3] * (len(hashes) - 1)


def test_what_became_too_cheap_is_replaced_up_to_the_ceiling(stage: Stage) -> None:
    rpc(stage, "evm_setAutomine", False)
    stage.travel_to(stage.services.network.epochs.intake_end(0))
    stage.tick()
    (sent,) = recorded(stage)
    dear = 3 * fees_of(sent.signed.raw).max_fee_wei
    assert 10 * dear < CEILING.max_fee_wei

    def pass_time(base_fee_wei: int) -> None:
        rpc(stage, "anvil_setNextBlockBaseFeePerGas", hex(base_fee_wei))
        stage.travel_to(stage.chain.now() + PATIENCE_SECONDS)

    pass_time(2 * CEILING.max_fee_wei)
    run_epochs(stage.services)
    assert "wait until gas is cheaper" in stage.services.failures["send"]
    assert recorded(stage) == [sent]

    pass_time(dear)
    stage.tick()
    old, new = recorded(stage)
    assert (old, new.signed.nonce) == (sent, sent.signed.nonce)
    assert dear < fees_of(new.signed.raw).max_fee_wei <= CEILING.max_fee_wei
    rpc(stage, "evm_mine")
    stage.tick()
    assert [one.state for one in recorded(stage)][:2] == ["dropped", "mined"]
    assert stage.states()[0] == "committed"


def test_what_is_only_slow_is_offered_again_and_not_given_up(stage: Stage) -> None:
    """In the pending block the transaction is applied already: asked about that one, its own call would fail."""
    rpc(stage, "evm_setAutomine", False)
    intake_end = stage.services.network.epochs.intake_end(0)
    stage.services.clock = lambda: stage.chain.now() + slow_seconds
    slow_seconds = 0
    stage.travel_to(intake_end)
    stage.tick()
    slow_seconds = PATIENCE_SECONDS
    stage.tick()
    assert [one.purpose for one in recorded(stage)] == ["commit", "commit"]
    rpc(stage, "evm_mine")
    stage.tick()
    assert stage.states()[0] == "committed"


def test_an_rpc_that_freezes_holds_nothing_up(stage: Stage) -> None:
    services = stage.services
    with rpc_before(stage.chain.rpc_url) as first, rpc_before(stage.chain.rpc_url) as second:
        web3 = connect(f"{first.url},{second.url}", CHAIN_ID)
        services.chain = SdkChain(web3, stage.chain.deployment)
        stage.travel_to(services.network.epochs.intake_end(0))
        stage.tick(2)
        first.is_frozen = True
        began = time.monotonic()
        assert set(readiness(services).values()) == {None}
        assert time.monotonic() - began < TIMEOUT_SECONDS / 2
        stage.travel_to(services.network.epochs.intake_end(1))
        stage.tick(3)
        second.is_frozen = True
        began = time.monotonic()
        trouble = readiness(services)["chain"]
        assert "no RPC can be used" in (trouble or "")
        assert time.monotonic() - began < TIMEOUT_SECONDS / 2
    assert stage.states()[:2] == ["final", "committed"]
    assert [len(stage.chain.epoch_book.commits(epoch)) for epoch in range(2)] == [1, 1]
