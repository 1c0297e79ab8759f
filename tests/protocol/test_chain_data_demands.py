"""Demands for data on a real chain: all of an honest epoch is answered for, and who stays silent loses."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from streamrp2p.chain import (
    CommittedChunk,
    DemandRecord,
    Receipt,
    TransactionRevertedError,
)
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.fraud.answers import AnswerBook, ProvenAnswer
from streamrp2p.fraud.evidence import Demand, Tree
from streamrp2p.keccak import keccak
from streamrp2p.settlement import Settlement
from streamrp2p.signatures import address_of
from tests.support.chain import (
    GUARDIAN,
    NODE,
    POSTER,
    SHORT_EPOCHS,
    STRANGER,
    DeployedChain,
    deploy_all,
)
from tests.support.demands import broad_settlement, every_demand

pytestmark = pytest.mark.integration

BOND = 10**16
RESPONSE_SECONDS = 3600
DEMANDER, POSTER_ADDRESS = address_of(STRANGER), address_of(POSTER)


@dataclass(frozen=True)
class Committed:
    """A chain on which an epoch with trees of several levels is pending."""

    chain: DeployedChain
    settlement: Settlement

    def demand(self, demand: Demand) -> DemandRecord:
        call = self.chain.data_demands.demand_call(self.settlement.header, demand)
        receipt = self.chain.send(call, STRANGER)
        return self.chain.data_demands.demands(from_block=receipt.block)[-1]

    def answer(self, demanded: CommittedChunk, proven: ProvenAnswer | None = None) -> Receipt:
        proven = proven or AnswerBook(self.settlement.bundle).answer(demanded.chunk)
        return self.chain.send(self.chain.data_demands.publish_call(demanded, proven), NODE)

    def is_pending(self) -> bool:
        return self.chain.epoch_book.status(0).state == "pending"

    def of(self, tree: Tree, level: int, index: int = 0) -> Demand:
        """Return the demand in the largest such tree."""
        found = [
            demand
            for demand in every_demand(self.settlement)
            if (demand.chunk.tree, demand.chunk.level, demand.chunk.index) == (tree, level, index)
        ]
        return max(found, key=lambda demand: demand.chunk.count)


@pytest.fixture
def committed(anvil: str, tmp_path: Path) -> Committed:
    """Trees of 17 leaves: four levels beneath the top, and a last leaf beside padding."""
    chain = deploy_all(anvil, tmp_path, replace(SHORT_EPOCHS, challenge_seconds=86_400))
    settlement = broad_settlement(chain.epoch_book.domain(), nodes=17, sessions=9)
    chain.travel_to(max(chain.epoch_book.clock().intake_end(0), chain.now() + 1))
    chain.send(chain.epoch_book.commit_call(settlement.header), POSTER)
    return Committed(chain, settlement)


def balance_of(chain: DeployedChain) -> int:
    address = "0x" + chain.data_demands.address.hex()
    return quantity(request(chain.web3, "eth_getBalance", [address, "latest"]))


def test_every_part_of_an_honest_epoch_is_answered_and_the_header_stands(
    committed: Committed,
) -> None:
    chain, header = committed.chain, committed.settlement.header
    book = AnswerBook(committed.settlement.bundle)
    demands = list(every_demand(committed.settlement))
    for demand in demands:
        chain.send(chain.data_demands.demand_call(header, demand), STRANGER)
    made = chain.data_demands.demands()
    assert [one.demanded.chunk for one in made] == [demand.chunk for demand in demands]
    for one in made:
        committed.answer(one.demanded, book.answer(one.demanded.chunk))

    answered = chain.data_demands.demands()
    assert {one.state for one in answered} == {"answered"}
    for one in answered:
        assert one.answer == book.answer(one.demanded.chunk).answer
    assert chain.data_demands.credit_of(POSTER_ADDRESS) == len(demands) * BOND
    assert balance_of(chain) == len(demands) * BOND
    chain.travel_to(chain.now() + 86_400)
    with pytest.raises(TransactionRevertedError, match="DataDemands_NotOpen"):
        chain.send(chain.data_demands.expire_call(answered[0].demanded), STRANGER)
    chain.send(chain.epoch_book.finalise_call(0), STRANGER)
    chain.send(chain.data_demands.withdraw_credit_call(POSTER_ADDRESS), POSTER)
    assert balance_of(chain) == 0


def test_demand_is_told_as_the_chain_names_it(committed: Committed) -> None:
    chain = committed.chain
    demand = committed.of(Tree.SESSIONS, 4)
    record = committed.demand(demand)
    status = chain.epoch_book.status(0)
    header_hash = committed.settlement.header.hash()
    assert record.demanded == CommittedChunk(0, header_hash, status.committed_at or 0, demand.chunk)
    assert record.demand_id == record.demanded.demand_id()
    assert (record.demander, record.state, record.answer) == (DEMANDER, "open", None)
    assert record.answer_by == chain.now() + RESPONSE_SECONDS
    other = replace(record, demand_id=keccak(b"never demanded"))
    assert chain.data_demands.still_open([other, record]) == [record]
    committed.answer(record.demanded)
    assert chain.data_demands.still_open([record]) == []


def test_published_is_what_was_answered_and_what_is_owed(committed: Committed) -> None:
    header_hash = committed.settlement.header.hash()
    answered = committed.demand(committed.of(Tree.CLAIMS, 5)).demanded
    owed = committed.demand(committed.of(Tree.NODES, 0, 16)).demanded
    committed.answer(answered)
    committed_at = answered.committed_at
    published = committed.chain.data_demands.published(header_hash, committed_at)
    assert set(published.answers) == {answered.chunk}
    assert len(published.answers[answered.chunk]) == 4
    assert published.owed == {owed.chunk}
    again = committed.chain.data_demands.published(header_hash, committed_at + 1)
    assert (again.answers, again.owed) == ({}, frozenset())


def test_silence_voids_the_header_and_pays_the_demander(committed: Committed) -> None:
    chain = committed.chain
    record = committed.demand(committed.of(Tree.SESSIONS, 0, 8))
    with pytest.raises(TransactionRevertedError, match="DataDemands_TimeLeft"):
        chain.send(chain.data_demands.expire_call(record.demanded), NODE)
    chain.travel_to(record.answer_by)
    with pytest.raises(TransactionRevertedError, match="DataDemands_AnswerLate"):
        committed.answer(record.demanded)
    chain.send(chain.data_demands.expire_call(record.demanded), NODE)
    assert not committed.is_pending()
    assert [one.state for one in chain.data_demands.demands()] == ["expired"]
    assert chain.epoch_book.credit_of(DEMANDER) == SHORT_EPOCHS.bond_wei // 2
    assert chain.data_demands.credit_of(DEMANDER) == BOND


def test_bond_comes_back_when_the_header_falls_otherwise(committed: Committed) -> None:
    chain = committed.chain
    record = committed.demand(committed.of(Tree.POOLS, 2))
    with pytest.raises(TransactionRevertedError, match="DataDemands_HeaderStands"):
        chain.send(chain.data_demands.reclaim_call(record.demanded), STRANGER)
    chain.send(chain.epoch_book.veto_call(0), GUARDIAN)
    chain.send(chain.data_demands.reclaim_call(record.demanded), NODE)
    assert [one.state for one in chain.data_demands.demands()] == ["reclaimed"]
    assert chain.data_demands.credit_of(DEMANDER) == BOND


@pytest.mark.parametrize("tree", [Tree.POOLS, Tree.NODES, Tree.SESSIONS, Tree.CLAIMS])
def test_answer_of_other_leaves_is_refused(committed: Committed, tree: Tree) -> None:
    demands = [one for one in every_demand(committed.settlement) if one.chunk.tree == tree]
    record = committed.demand(demands[-1])
    assert record.demanded.chunk.level == 0
    book = AnswerBook(committed.settlement.bundle)
    other = book.answer(demands[0 if tree == Tree.POOLS else -2].chunk)
    own = book.answer(record.demanded.chunk)
    with pytest.raises(TransactionRevertedError):
        committed.answer(record.demanded, ProvenAnswer(other.answer, own.path))
    committed.answer(record.demanded, own)
