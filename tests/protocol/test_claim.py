from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.claim import (
    ClaimBook,
    claim_by_signature_call_data,
    claim_call_data,
    claim_to_call_data,
    prove_claim,
)
from streamrp2p.claims_tree import ClaimLeaf, claims_tree, entry_word
from streamrp2p.errors import TreeError
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import ZERO_HASH, Address, Signature


def book(count: int) -> ClaimBook:
    """Return the claims of `count` accounts: 2, 4, 6 and so on."""
    claims = [
        ClaimLeaf(Address((2 * number + 2).to_bytes(20)), (entry_word(1, number + 1),))
        for number in range(count)
    ]
    tree = claims_tree(claims)
    header = EpochHeader(5, ZERO_HASH, ZERO_HASH, 0, 0, tree.root, tree.count, ZERO_HASH)
    return ClaimBook(header, claims)


@given(st.integers(1, 20))
def test_every_account_can_be_proven(count: int) -> None:
    claims = book(count)
    for index, leaf in enumerate(claims.claims):
        proof = claims.prove(leaf.account)
        assert (proof.index, proof.leaf) == (index, leaf)
        assert proof.is_valid()
        assert proof == prove_claim(claims.header, claims.claims, leaf.account)


@given(st.integers(0, 9), st.integers(0, 20))
def test_an_account_that_earned_nothing_has_no_proof(count: int, number: int) -> None:
    if number % 2 or not 2 <= number <= 2 * count:
        with pytest.raises(TreeError, match="earned nothing up to epoch 5"):
            book(count).prove(Address(number.to_bytes(20)))


def test_a_proof_of_more_than_was_earned_is_invalid() -> None:
    proof = book(5).prove(Address((4).to_bytes(20)))
    assert not replace(proof, leaf=ClaimLeaf(proof.leaf.account, (entry_word(1, 3),))).is_valid()
    assert not replace(proof, index=2).is_valid()
    assert not replace(proof, path=proof.path[1:]).is_valid()
    assert not replace(proof, header=replace(proof.header, claims_root=ZERO_HASH)).is_valid()


def test_call_data_begins_with_the_selector_of_the_contract() -> None:
    proof = book(3).prove(Address((2).to_bytes(20)))
    base = "(uint64,bytes32,bytes32,uint32,uint128,bytes32,uint32,bytes32),(address,uint256[]),uint32,bytes32[],uint256"
    to = Address(b"\7" * 20)
    assert claim_call_data(proof)[:4] == keccak(f"claim({base})".encode())[:4]
    assert claim_to_call_data(proof, to)[:4] == keccak(f"claimTo({base},address)".encode())[:4]
    by_signature = claim_by_signature_call_data(proof, to, 9, Signature(b"\1" * 65))
    assert (
        by_signature[:4] == keccak(f"claimToBySignature({base},address,uint64,bytes)".encode())[:4]
    )
    assert by_signature.count(b"\7" * 20) == 1
    assert b"\1" * 65 in by_signature
