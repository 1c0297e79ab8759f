"""The contracts on a real chain accept what the core makes, and refuse what it does not."""

from dataclasses import replace

import pytest
from eth_account import Account

from streamrp2p.bundle import Bundle
from streamrp2p.chain import Call, TransactionRevertedError
from streamrp2p.chain.rpc import request
from streamrp2p.claim import ClaimBook, ClaimProof
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.numbers import Address, Hash
from streamrp2p.settlement import Settlement, pools_tree
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import ClaimRedirect, Domain, NodeRegistration
from tests.differential.oracle import messages as oracle
from tests.differential.oracle.bundle import header_bytes, header_of
from tests.differential.oracle.hashing import keccak
from tests.support.chain import POSTER, STRANGER, STREAMER, DeployedChain
from tests.support.sessions import known_key
from tests.support.stage import Stage, account

pytestmark = pytest.mark.integration

SESSIONS = ((1, 0, 5_000_000_000), (1, 1, 3_000_000_001), (2, 1, 7_000_000_000), (1, 2, 11))
MORE = ((1, 0, 1_000_000_000), (2, 0, 2_000_000_000))
KEY_OF = {address_of(known_key(number)): known_key(number) for number in (1, 2, 3)}
NOWHERE = Address(b"\x77" * 20)


@pytest.fixture
def stage(deployed: DeployedChain) -> Stage:
    deployed.fund_pool()
    deployed.fund_pool(amount=10**18, price_per_gb=10**17)
    return Stage(deployed, Domain(deployed.deployment.chain_id, deployed.deployment.epoch_book))


def finalise(stage: Stage, *sessions: tuple[int, int, int]) -> Settlement:
    settled = stage.honest(*sessions)
    stage.commit(settled)
    stage.chain.travel_to(stage.chain.now() + 31)
    stage.chain.send(stage.chain.epoch_book.finalise_call(settled.header.epoch), STRANGER)
    if settled.bundle.claims:
        stage.chain.send(stage.chain.reward_pools.open_claims_call(settled.header), STRANGER)
    return settled


def prove(settled: Settlement, owner: Address) -> ClaimProof:
    return ClaimBook(settled.header, settled.bundle.claims).prove(owner)


def earned(bundle: Bundle) -> dict[Address, int]:
    return {claim.account: sum(claim.rewards().values()) for claim in bundle.claims}


def refusal(stage: Stage, call: Call, key: bytes = STRANGER) -> str:
    with pytest.raises(TransactionRevertedError) as caught:
        stage.chain.send(call, key)
    return caught.value.name


def test_the_domain_is_the_books(stage: Stage) -> None:
    book = stage.chain.epoch_book
    assert book._read("domainSeparator") == stage.domain.separator
    assert book.domain() == stage.domain


def test_the_book_hashes_a_header_as_both_implementations_do(stage: Stage) -> None:
    for sessions in (SESSIONS, MORE, ()):
        settled = stage.honest(*sessions)
        header = stage.commit(settled)
        (committed,) = stage.chain.epoch_book.commits(header.epoch)
        assert committed.header_hash == header.hash()
        assert committed.header == header
        assert committed.header_hash == keccak(header_bytes(header_of(settled.bundle.encode())))
        assert stage.chain.epoch_book.status(header.epoch).digest == header.hash()[:28]


def test_the_book_refuses_a_header_upon_another_parent(stage: Stage) -> None:
    stage.commit(stage.honest(*SESSIONS))
    header = replace(stage.honest().header, parent=Hash(b"\1" * 32))
    assert refusal(stage, stage.chain.epoch_book.commit_call(header), POSTER) == (
        "EpochBook_ParentMismatch"
    )


def test_every_account_is_paid_what_the_claims_tree_says_to_the_unit(stage: Stage) -> None:
    pools, token = stage.chain.reward_pools, stage.chain.token
    first = finalise(stage, *SESSIONS)
    owed = earned(first.bundle)
    assert len(owed) == 3
    # Node 1 is paid only after the second epoch: its reward of the first is not lost.
    for owner in (account(0), account(2)):
        stage.chain.send(pools.claim_call(prove(first, owner)), STRANGER)
        assert token.balance_of(owner) == owed[owner]
    second = finalise(stage, *MORE)
    for owner, total in earned(second.bundle).items():
        stage.chain.send(pools.claim_call(prove(second, owner)), STRANGER)
        assert token.balance_of(owner) == total
        receipt = stage.chain.send(pools.claim_call(prove(first, owner)), STRANGER)
        assert pools.payments(receipt) == [], "an older proof pays nothing again"
    spent = sum(row.cumulative_spend for row in second.bundle.pool_rows)
    paid = sum(earned(second.bundle).values())
    rewarded_rows = len(first.bundle.node_rows) + len(second.bundle.node_rows)
    assert 0 <= spent - paid < rewarded_rows


def test_a_pool_is_left_out(stage: Stage) -> None:
    settled = finalise(stage, *SESSIONS)
    proof = prove(settled, account(1))
    rewards = proof.leaf.rewards()
    assert list(rewards) == [1, 2]
    receipt = stage.chain.send(stage.chain.reward_pools.claim_call(proof, skip=0b01), STRANGER)
    (payment,) = stage.chain.reward_pools.payments(receipt)
    assert (payment.pool_id, payment.amount) == (2, rewards[2])


def test_a_claim_of_more_or_with_another_path_or_place_is_refused(stage: Stage) -> None:
    settled = finalise(stage, *SESSIONS)
    proof = prove(settled, account(1))
    more = ClaimLeaf(proof.leaf.account, (proof.leaf.entries[0] + 1, *proof.leaf.entries[1:]))
    call = stage.chain.reward_pools.claim_call
    assert refusal(stage, call(replace(proof, leaf=more))) == "Tree_ProofMismatch"
    assert refusal(stage, call(replace(proof, index=proof.index ^ 1))) == "Tree_ProofMismatch"
    assert refusal(stage, call(replace(proof, path=proof.path[:-1]))) == "Tree_WrongPathLength"
    overlong = (*proof.path, Hash(bytes(32)))
    assert refusal(stage, call(replace(proof, path=overlong))) == "Tree_WrongPathLength"
    assert refusal(stage, call(replace(proof, index=3))) == "Tree_IndexBeyondCount"
    changed = replace(proof.header, claim_count=4)
    reopened = stage.chain.reward_pools.open_claims_call(changed)
    assert refusal(stage, reopened) == "RewardPools_HeaderNotFinal"
    unopened = replace(proof.header, epoch=proof.header.epoch + 1)
    assert refusal(stage, call(replace(proof, header=unopened))) == "RewardPools_ClaimsNotOpen"


def test_neighbours_are_paid_at_once_and_one_is_left_out(stage: Stage) -> None:
    settled = finalise(stage, *SESSIONS)
    pools, owed = stage.chain.reward_pools, earned(settled.bundle)
    book = ClaimBook(settled.header, settled.bundle.claims)
    proof = book.prove_range(0, 3)
    assert refusal(stage, pools.claim_many_call(replace(proof, first=1))) == (
        "Tree_IndexBeyondCount"
    )
    assert refusal(stage, pools.claim_many_call(replace(proof, path=proof.path[1:]))) == (
        "Tree_WrongPathLength"
    )
    swapped = (proof.leaves[1], proof.leaves[0], proof.leaves[2])
    assert refusal(stage, pools.claim_many_call(replace(proof, leaves=swapped))) == (
        "Tree_ProofMismatch"
    )
    receipt = stage.chain.send(pools.claim_many_call(proof, skip=0b010), STRANGER)
    paid = {payment.account for payment in pools.payments(receipt)}
    assert paid == {proof.leaves[0].account, proof.leaves[2].account}
    stage.chain.send(pools.claim_many_call(book.prove_range(1, 2)), STRANGER)
    for owner, total in owed.items():
        assert stage.chain.token.balance_of(owner) == total


def test_an_account_claims_all_by_itself_and_opens_the_epoch(stage: Stage) -> None:
    settled = stage.honest(*SESSIONS)
    stage.commit(settled)
    stage.chain.travel_to(stage.chain.now() + 31)
    stage.chain.send(stage.chain.epoch_book.finalise_call(settled.header.epoch), STRANGER)
    pools, proof = stage.chain.reward_pools, prove(settled, account(1))
    assert not pools.has_open_claims(settled.header.epoch)
    call = pools.opening(settled.header, pools.claim_all_call(proof))
    assert refusal(stage, call) == "Tree_ProofMismatch", "a stranger has no such leaf"
    request(stage.chain.web3, "anvil_setBalance", ["0x" + account(1).hex(), hex(10**18)])
    stage.chain.send(call, KEY_OF[account(1)])
    assert pools.has_open_claims(settled.header.epoch)
    assert stage.chain.token.balance_of(account(1)) == earned(settled.bundle)[account(1)]


def test_an_account_directs_its_claim_by_itself_or_by_signature(stage: Stage) -> None:
    settled = finalise(stage, *SESSIONS)
    pools, owner = stage.chain.reward_pools, account(2)
    proof = prove(settled, owner)
    redirect = ClaimRedirect(owner, NOWHERE, settled.header.epoch, stage.chain.now() + 600)
    signature = sign(redirect.digest(stage.domain), KEY_OF[owner])
    by_stranger = sign(redirect.digest(stage.domain), known_key(99))
    call = pools.claim_by_signature_call(proof, NOWHERE, redirect.deadline, by_stranger)
    assert refusal(stage, call) == "RewardPools_InvalidSignature"
    elsewhere = pools.claim_by_signature_call(proof, account(0), redirect.deadline, signature)
    assert refusal(stage, elsewhere) == "RewardPools_InvalidSignature"
    assert refusal(stage, pools.claim_to_call(proof, NOWHERE)) == "Tree_ProofMismatch"
    stage.chain.send(
        pools.claim_by_signature_call(proof, NOWHERE, redirect.deadline, signature), STRANGER
    )
    assert stage.chain.token.balance_of(NOWHERE) == earned(settled.bundle)[owner]


def test_a_closed_pool_refunds_by_the_path_of_its_row(stage: Stage) -> None:
    stage.chain.travel_to(stage.chain.epoch_book.clock().start(0) + 1)
    stage.chain.send(stage.chain.reward_pools.close_call(1), STREAMER)
    last = stage.chain.epoch_book.current_epoch()
    settled = finalise(stage, *SESSIONS)
    while settled.header.epoch < last:
        settled = finalise(stage)
    rows = settled.bundle.pool_rows
    tree, row = pools_tree(rows), rows[0]
    left = 1000 * 10**18 - row.cumulative_spend
    call = stage.chain.reward_pools.refund_call
    poorer = replace(row, cumulative_spend=row.cumulative_spend - 1)
    wrong = call(settled.header, poorer, 0, tree.path(0), NOWHERE)
    assert refusal(stage, wrong, STREAMER) == "Tree_ProofMismatch"
    receipt = stage.chain.send(call(settled.header, row, 0, tree.path(0), NOWHERE), STREAMER)
    assert stage.chain.reward_pools.refunded(receipt) == left
    assert stage.chain.token.balance_of(NOWHERE) == left
    after = stage.honest()
    assert [one.pool_id for one in after.bundle.pool_rows] == [2]


@pytest.mark.parametrize("endpoint", ["https://node.example:8443", "", "https://nœud.example/日本"])
def test_the_registry_accepts_what_the_core_and_eth_account_sign(
    stage: Stage, endpoint: str
) -> None:
    registry, node = stage.chain.node_registry, account(0)
    deadline = stage.chain.now() + 600
    registration = NodeRegistration(node, NOWHERE, endpoint, 0, deadline)
    signed = oracle.signable(
        "NodeRegistration",
        {"node": node, "payout": NOWHERE, "endpoint": endpoint, "nonce": 0, "deadline": deadline},
        stage.domain.chain_id,
        stage.domain.epoch_book,
    )
    signature = sign(registration.digest(stage.domain), KEY_OF[node])
    assert signature == Account.sign_message(signed, KEY_OF[node]).signature
    changed = replace(registration, endpoint=endpoint + "/")
    assert refusal(stage, registry.register_call(changed, signature)) == (
        "NodeRegistry_InvalidSignature"
    )
    stage.chain.send(registry.register_call(registration, signature), STRANGER)
    assert registry.node(node).endpoint == endpoint
