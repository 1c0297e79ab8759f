"""The wrappers against the real contracts: what Python settles, Solidity pays, to the unit."""

import pytest

from streamrp2p.allocation import Terms
from streamrp2p.chain import NodeRecord, Stream, TransactionRevertedError
from streamrp2p.chain import contract as contract_module
from streamrp2p.chain import rpc as rpc_module
from streamrp2p.chain.contract import Contract
from streamrp2p.chain.rpc import data_of, quantity, request
from streamrp2p.claim import prove_claim
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address
from streamrp2p.settlement import GENESIS, Parent, PoolInput, Settlement, settle
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import ClaimRedirect, NodeRegistration
from streamrp2p.verify import Checked
from tests.support.chain import (
    GUARDIAN,
    NODE,
    ONE_TOKEN,
    POSTER,
    STRANGER,
    STREAMER,
    TICKET_SIGNER,
    WALLET_TOKENS,
    DeployedChain,
)
from tests.support.sessions import known_key, make_record, make_ticket

pytestmark = pytest.mark.integration

NODE_ADDRESS = address_of(NODE)
STRANGER_ADDRESS = address_of(STRANGER)
GB = 10**9


def settled(
    chain: DeployedChain, epoch: int = 0, parent: Parent = GENESIS, **delivered: int
) -> Settlement:
    """Settle an epoch in which nodes (`node`, `stranger`) delivered so many bytes for pool 1."""
    domain = chain.epoch_book.domain()
    viewer = known_key(1)
    sessions = []
    for name, count in delivered.items():
        node = {"node": NODE_ADDRESS, "stranger": STRANGER_ADDRESS}[name]
        issued_at = chain.epoch_book.clock().start(epoch)
        ticket = make_ticket(epoch=epoch, node=node, viewer_key=viewer, issued_at=issued_at)
        record = make_record(
            ticket, domain=domain, ticket_key=TICKET_SIGNER, viewer_key=viewer, delivered=count
        )
        sessions.append(Checked(record))
    return settle(domain, epoch, parent, chain.reward_pools.pool_inputs(epoch), sessions)


def commit(chain: DeployedChain, settlement: Settlement) -> None:
    epoch = settlement.header.epoch
    chain.travel_to(max(chain.epoch_book.clock().intake_end(epoch), chain.now() + 1))
    chain.send(chain.epoch_book.commit_call(settlement.header), POSTER)


def finalise(chain: DeployedChain, epoch: int) -> None:
    ends_at = chain.epoch_book.status(epoch).challenge_ends_at
    assert ends_at is not None
    chain.travel_to(ends_at)
    chain.send(chain.epoch_book.finalise_call(epoch), STRANGER)


def test_rules_of_the_book_are_those_of_its_deployment(deployed: DeployedChain) -> None:
    book = deployed.epoch_book
    rules = book.rules
    assert (rules.epoch_seconds, rules.intake_grace_seconds, rules.challenge_seconds) == (60, 5, 30)
    assert rules.poster_timeout_seconds == 3 * 65
    assert rules.guardian == address_of(GUARDIAN)
    assert rules.challenges == deployed.deployment.challenges
    assert rules.data_demands == deployed.deployment.data_demands
    assert (book.clock().genesis, book.clock().end(0)) == (rules.genesis, rules.genesis + 60)
    state = book.state()
    assert (state.poster, state.bond_wei, state.is_bonded) == (address_of(POSTER), 10**18, True)
    assert (state.next_epoch, state.finalised_epochs) == (0, 0)


def test_domain_is_the_one_that_the_contract_verifies_with(deployed: DeployedChain) -> None:
    assert deployed.epoch_book._read("domainSeparator") == deployed.epoch_book.domain().separator


def test_settled_epoch_is_committed_finalised_and_paid_to_the_unit(deployed: DeployedChain) -> None:
    pool_id = deployed.fund_pool(price_per_gb=10 * ONE_TOKEN + 7, epoch_budget=100 * ONE_TOKEN)
    result = settled(deployed, node=2 * GB + 1, stranger=GB)
    book, pools = deployed.epoch_book, deployed.reward_pools
    commit(deployed, result)
    pending = book.status(0)
    assert (pending.state, pending.digest) == ("pending", result.header.hash()[:28])
    assert pending.committed_at == deployed.now()
    assert [one.header for one in book.committed()] == [result.header]

    finalise(deployed, 0)
    assert book.status(0).state == "final"
    assert book.is_final(0, result.header.hash())
    assert (book.next_epoch(), book.finalised_epochs()) == (1, 1)

    assert not pools.has_open_claims(0)
    deployed.send(pools.open_claims_call(result.header), GUARDIAN)
    assert pools.has_open_claims(0)
    for account in (NODE_ADDRESS, STRANGER_ADDRESS):
        proof = prove_claim(result.header, result.bundle.claims, account)
        reward = proof.leaf.rewards()[pool_id]
        receipt = deployed.send(pools.claim_call(proof), GUARDIAN)
        (payment,) = pools.payments(receipt)
        assert (payment.account, payment.to) == (account, account)
        assert (payment.pool_id, payment.amount) == (pool_id, reward)
        assert pools.claimed(account, pool_id) == reward
        assert deployed.token.balance_of(account) == WALLET_TOKENS + reward
        assert pools.payments(deployed.send(pools.claim_call(proof), GUARDIAN)) == []
    spend = result.bundle.pool_rows[0].spend
    assert spend == (3 * GB + 1) * (10 * ONE_TOKEN + 7) // GB
    rewards = sum(sum(claim.rewards().values()) for claim in result.bundle.claims)
    pool = pools.pool(pool_id)
    assert pool is not None
    assert pool.remaining == 1000 * ONE_TOKEN - rewards
    assert 0 <= spend - rewards < 2
    assert pools.claimed_by_pool(NODE_ADDRESS, [1, 2]) == {
        1: pools.claimed(NODE_ADDRESS, 1),
        2: 0,
    }


def test_claim_is_directed_elsewhere_by_the_account_alone(deployed: DeployedChain) -> None:
    deployed.fund_pool()
    result = settled(deployed, node=GB, stranger=GB)
    commit(deployed, result)
    finalise(deployed, 0)
    pools, elsewhere = deployed.reward_pools, Address(bytes([9] * 20))
    deployed.send(pools.open_claims_call(result.header), GUARDIAN)
    own = prove_claim(result.header, result.bundle.claims, NODE_ADDRESS)
    with pytest.raises(TransactionRevertedError) as caught:
        deployed.send(pools.claim_to_call(own, elsewhere), STRANGER)
    assert caught.value.name == "Tree_ProofMismatch"
    receipt = deployed.send(pools.claim_to_call(own, elsewhere), NODE)
    assert pools.payments(receipt)[0].to == elsewhere

    other = prove_claim(result.header, result.bundle.claims, STRANGER_ADDRESS)
    deadline = deployed.now() + 100
    redirect = ClaimRedirect(STRANGER_ADDRESS, elsewhere, 0, deadline)
    signature = sign(redirect.digest(deployed.epoch_book.domain()), STRANGER)
    call = pools.claim_by_signature_call(other, elsewhere, deadline, signature)
    assert pools.payments(deployed.send(call, GUARDIAN))[0].to == elsewhere
    assert deployed.token.balance_of(elsewhere) == 20 * ONE_TOKEN


def test_vetoed_headers_no_longer_stand_and_are_replaced(
    deployed: DeployedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.fund_pool()
    book = deployed.epoch_book
    first = settled(deployed, node=GB)
    commit(deployed, first)
    second = settled(deployed, 1, Parent.of(first.header, first.bundle), node=GB)
    commit(deployed, second)
    assert [one.header.epoch for one in book.committed(from_epoch=1)] == [1]
    deployed.send(book.veto_call(0), GUARDIAN)
    assert book.committed() == []
    assert (book.status(0).state, book.committed_header(0)) == ("none", None)

    again = settled(deployed, node=2 * GB)
    commit(deployed, again)
    monkeypatch.setattr(contract_module, "LOG_RANGE_BLOCKS", 1)
    (standing,) = book.committed()
    assert (standing.header, standing.header_hash) == (again.header, again.header.hash())
    assert standing.poster == address_of(POSTER)
    assert book.committed_header(0) == standing
    assert [one.header for one in book.commits(0)] == [first.header, again.header]


def test_pool_inputs_are_those_of_the_epoch_whenever_they_are_read(deployed: DeployedChain) -> None:
    pools, clock = deployed.reward_pools, deployed.epoch_book.clock()
    first = deployed.fund_pool(amount=5, price_per_gb=1, epoch_budget=2)
    second = deployed.fund_pool(amount=7, price_per_gb=3, epoch_budget=4)
    changed = Terms(10, 20, STRANGER_ADDRESS)
    deployed.send(pools.set_terms_call(first, changed, 2), STREAMER)
    deployed.send(pools.close_call(second), STREAMER)
    deployed.travel_to(clock.start(1))
    deployed.send(deployed.token.approve_call(pools.address, 100), STREAMER)
    assert pools.deposited(deployed.send(pools.deposit_call(first, 100), STREAMER)) == 100
    third = deployed.fund_pool(amount=0, price_per_gb=8, epoch_budget=9)

    signer = address_of(TICKET_SIGNER)
    assert pools.pool_inputs(0) == [
        PoolInput(first, Terms(1, 2, signer), 5),
        PoolInput(second, Terms(3, 4, signer), 7),
    ]
    assert pools.pool_inputs(1) == [
        PoolInput(first, Terms(1, 2, signer), 105),
        PoolInput(third, Terms(8, 9, signer), 0),
    ]
    assert pools.pool_inputs(2)[0] == PoolInput(first, changed, 105)
    assert pools.terms_at(first, 1) == Terms(1, 2, signer)
    assert (pools.funded_at(first, 0), pools.funded_at(first, 1)) == (5, 105)
    assert [pools.is_open_at(second, epoch) for epoch in (0, 1)] == [True, False]


def test_reads_pinned_to_a_block_do_not_see_what_came_later(deployed: DeployedChain) -> None:
    pools = deployed.reward_pools
    deployed.fund_pool()
    before = pools.latest_block()
    deployed.fund_pool()
    assert (pools.pool_count(before), pools.pool_count()) == (1, 2)
    assert [pool.pool_id for pool in pools.pools(block=before)] == [1]
    assert len(pools.pool_inputs(0, before)) == 1


def test_many_pools_take_several_batches_in_order(
    deployed: DeployedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    for price in range(1, 6):
        deployed.fund_pool(amount=0, price_per_gb=price, uri=f"http://127.0.0.1:{price}")
    monkeypatch.setattr(rpc_module, "BATCH_REQUESTS", 3)
    inputs = deployed.reward_pools.pool_inputs(0)
    assert [(one.pool_id, one.terms.price_per_gb) for one in inputs] == [
        (n, n) for n in range(1, 6)
    ]
    found = deployed.reward_pools.pools([5, 2, 9, 2])
    assert [(pool.pool_id, pool.stream.uri) for pool in found] == [
        (2, "http://127.0.0.1:2"),
        (5, "http://127.0.0.1:5"),
    ]


def test_pool_record_has_its_stream_and_its_closing(deployed: DeployedChain) -> None:
    pools = deployed.reward_pools
    pool_id = deployed.fund_pool(amount=3)
    stream = Stream(STRANGER_ADDRESS, 77, "https://origin.example/é")
    deployed.send(pools.set_stream_call(pool_id, stream), STREAMER)
    receipt = deployed.send(pools.close_call(pool_id), STREAMER)
    assert pools.closed_from_epoch(receipt) == 1
    pool = pools.pool(pool_id)
    assert pool is not None
    assert pool.stream == stream
    assert (pool.streamer, pool.token) == (address_of(STREAMER), deployed.token.address)
    assert (pool.remaining, pool.created_epoch, pool.closed_from_epoch) == (3, 0, 1)
    assert [pool.is_open_at(epoch) for epoch in (0, 1)] == [True, False]
    assert pools.pool(99) is None


def test_node_is_registered_and_changes_its_payout_after_a_delay(deployed: DeployedChain) -> None:
    registry, domain = deployed.node_registry, deployed.epoch_book.domain()
    assert registry.node(NODE_ADDRESS) == NodeRecord(NODE_ADDRESS, None, None, 0, "")
    assert registry.payout_delay_seconds() == 60

    def register(payout: Address, nonce: int) -> None:
        wanted = NodeRegistration(NODE_ADDRESS, payout, "http://127.0.0.1:8200", nonce, 2**64 - 1)
        call = registry.register_call(wanted, sign(wanted.digest(domain), NODE))
        deployed.send(call, STRANGER)

    register(NODE_ADDRESS, 0)
    register(STRANGER_ADDRESS, 1)
    changed_at = deployed.now() + 60
    assert registry.node(NODE_ADDRESS) == NodeRecord(
        NODE_ADDRESS, STRANGER_ADDRESS, changed_at, 2, "http://127.0.0.1:8200"
    )
    deployed.travel_to(changed_at)
    assert registry.payout_of(NODE_ADDRESS) == STRANGER_ADDRESS
    with pytest.raises(TransactionRevertedError) as caught:
        register(NODE_ADDRESS, 1)
    assert caught.value.arguments == {"node": NODE_ADDRESS, "nonce": 1, "expected": 2}


def test_announced_payout_is_called_off_by_the_current_one(deployed: DeployedChain) -> None:
    registry, domain = deployed.node_registry, deployed.epoch_book.domain()
    for nonce, payout in enumerate((STRANGER_ADDRESS, NODE_ADDRESS)):
        wanted = NodeRegistration(NODE_ADDRESS, payout, "", nonce, 2**64 - 1)
        deployed.send(registry.register_call(wanted, sign(wanted.digest(domain), NODE)), GUARDIAN)
    deployed.send(registry.cancel_payout_change_call(NODE_ADDRESS), STRANGER)
    assert registry.node(NODE_ADDRESS).pending_payout is None


def test_poster_takes_its_bond_back_as_ether(deployed: DeployedChain) -> None:
    book, to = deployed.epoch_book, Address(bytes([8] * 20))
    deployed.send(book.withdraw_bond_call(), POSTER)
    assert book.credit_of(address_of(POSTER)) == 10**18
    deployed.send(book.withdraw_credit_call(to), POSTER)
    held = request(deployed.web3, "eth_getBalance", ["0x" + to.hex(), "latest"])
    assert quantity(held) == 10**18
    assert not book.state().is_bonded


def test_idle_posters_place_is_taken_over(deployed: DeployedChain) -> None:
    book = deployed.epoch_book
    state = book.state()
    deployed.travel_to(state.last_activity_at + book.rules.poster_timeout_seconds)
    deployed.send(book.take_over_call(10**18), STRANGER)
    assert book.poster() == STRANGER_ADDRESS
    assert book.current_epoch() == 3


def test_event_topics_are_those_of_the_compiled_contracts(deployed: DeployedChain) -> None:
    deployed.fund_pool()
    contracts: list[Contract] = [deployed.epoch_book, deployed.reward_pools]
    for one in contracts:
        wanted = {"address": "0x" + one.address.hex(), "fromBlock": "0x0"}
        logs = request(deployed.web3, "eth_getLogs", [wanted])
        known = {event.topic for event in one.artifact.events.values()}
        assert logs
        assert {data_of(log["topics"][0]) for log in logs} <= known
    created = "PoolCreated(uint32,address,address,uint64,(uint128,uint128,address),(address,uint32,string))"
    assert deployed.reward_pools.artifact.events["PoolCreated"].topic == keccak(created.encode())
