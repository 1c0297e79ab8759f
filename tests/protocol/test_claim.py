from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.claim import (
    ClaimBook,
    claim_all_call_data,
    claim_by_signature_call_data,
    claim_call_data,
    claim_many_call_data,
    claim_to_call_data,
    open_claims_call_data,
    opening,
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


@given(st.integers(1, 20), st.data())
def test_every_range_of_accounts_can_be_proven(count: int, data: st.DataObject) -> None:
    claims = book(count)
    first = data.draw(st.integers(0, count - 1))
    width = data.draw(st.integers(1, count - first))
    proof = claims.prove_range(first, width)
    assert proof.leaves == tuple(claims.claims[first : first + width])
    assert proof.is_valid()


def test_a_range_proof_of_other_accounts_or_another_place_is_invalid() -> None:
    proof = book(9).prove_range(2, 4)
    assert not replace(proof, leaves=proof.leaves[::-1]).is_valid()
    assert not replace(proof, leaves=proof.leaves[:-1]).is_valid()
    assert not replace(proof, first=4).is_valid()
    assert not replace(proof, path=(*proof.path, ZERO_HASH)).is_valid()
    with pytest.raises(TreeError, match="leaf 9 is not in a tree of 9 leaves"):
        book(9).prove_range(6, 4)


def test_call_data_begins_with_the_selector_of_the_contract() -> None:
    proof = book(3).prove(Address((2).to_bytes(20)))
    base = "uint64,(address,uint256[]),uint32,bytes32[],uint256"
    own = "uint64,uint256[],uint32,bytes32[]"
    header = "(uint64,bytes32,bytes32,uint32,uint128,bytes32,uint32,bytes32)"
    to = Address(b"\7" * 20)
    by_signature = claim_by_signature_call_data(proof, to, 9, Signature(b"\1" * 65))
    many = claim_many_call_data(book(3).prove_range(0, 2))
    for data, signature in (
        (claim_call_data(proof), f"claim({base})"),
        (claim_all_call_data(proof), f"claimAll({own})"),
        (claim_to_call_data(proof, to), f"claimTo({own},uint256,address)"),
        (by_signature, f"claimToBySignature({base},address,uint64,bytes)"),
        (many, "claimMany(uint64,(address,uint256[])[],uint32,bytes32[],uint256)"),
        (open_claims_call_data(proof.header), f"openClaims({header})"),
        (opening(proof.header, many), "multicall(bytes[])"),
    ):
        assert data[:4] == keccak(signature.encode())[:4]
    assert by_signature.count(b"\7" * 20) == 1
    assert b"\1" * 65 in by_signature
    assert many in opening(proof.header, many)
