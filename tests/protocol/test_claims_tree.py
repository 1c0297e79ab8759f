import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.claims_tree import (
    ClaimLeaf,
    add_rewards,
    claims_tree,
    entry_parts,
    entry_word,
)
from streamrp2p.errors import MalformedError, TooManyPoolsError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import ZERO_HASH, Address

A, B, C = (Address(bytes([number]) * 20) for number in (1, 2, 3))


def leaf(account: Address, **rewards: int) -> ClaimLeaf:
    """Return a leaf from `p<pool>=<reward>`."""
    return ClaimLeaf(
        account, tuple(entry_word(int(name[1:]), reward) for name, reward in rewards.items())
    )


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**128 - 1))
def test_an_entry_holds_pool_and_reward(pool_id: int, reward: int) -> None:
    assert entry_parts(entry_word(pool_id, reward)) == (pool_id, reward)
    assert entry_word(pool_id, reward) < 2**160


@pytest.mark.parametrize(("pool_id", "reward"), [(2**32, 0), (-1, 0), (0, 2**128), (0, -1)])
def test_an_entry_out_of_range_is_malformed(pool_id: int, reward: int) -> None:
    with pytest.raises(MalformedError):
        entry_word(pool_id, reward)


def test_a_leaf_is_hashed_twice_over_account_and_words() -> None:
    words = ((7 << 128) | 5).to_bytes(32) + ((9 << 128) | 6).to_bytes(32)
    assert leaf(A, p7=5, p9=6).leaf() == keccak(keccak(A + words))
    assert leaf(A).leaf() == keccak(keccak(A))


def test_a_leaf_that_does_not_fit_is_malformed() -> None:
    with pytest.raises(MalformedError, match="account"):
        ClaimLeaf(Address(b"short"), ()).leaf()
    with pytest.raises(MalformedError, match="entry"):
        ClaimLeaf(A, (2**256,)).leaf()


def test_nobody_earned_anything_has_root_0() -> None:
    assert claims_tree([]).root == ZERO_HASH


def test_rewards_add_to_what_the_parent_says() -> None:
    parent = (leaf(A, p1=10), leaf(C, p1=1, p4=2))
    claims = add_rewards(parent, {(C, 1): 5, (C, 3): 7, (B, 2): 9})
    assert claims == (leaf(A, p1=10), leaf(B, p2=9), leaf(C, p1=6, p3=7, p4=2))


def test_rewards_of_zero_leave_no_trace() -> None:
    assert add_rewards((), {(A, 1): 0}) == ()
    assert add_rewards((leaf(A, p1=3),), {(A, 2): 0, (B, 1): 0}) == (leaf(A, p1=3),)


def test_an_account_earns_from_at_most_256_pools() -> None:
    everywhere = {(A, pool_id): 1 for pool_id in range(1, 257)}
    full = add_rewards((), everywhere)
    assert len(full[0].entries) == 256
    assert add_rewards(full, {(A, 1): 1})[0].rewards()[1] == 2
    with pytest.raises(TooManyPoolsError, match="257 pools"):
        add_rewards(full, {(A, 257): 1})


rewards = st.dictionaries(
    st.tuples(st.sampled_from([A, B, C]), st.integers(1, 4)), st.integers(0, 2**64)
)


@given(st.lists(rewards, max_size=4))
def test_claims_are_the_sums_of_all_epochs_in_order(
    epochs: list[dict[tuple[Address, int], int]],
) -> None:
    claims: tuple[ClaimLeaf, ...] = ()
    for earned in epochs:
        claims = add_rewards(claims, earned)
    totals: dict[tuple[Address, int], int] = {}
    for earned in epochs:
        for key, reward in earned.items():
            totals[key] = totals.get(key, 0) + reward
    found = {
        (claim.account, pool): reward
        for claim in claims
        for pool, reward in claim.rewards().items()
    }
    assert found == {key: total for key, total in totals.items() if total}
    assert [claim.account for claim in claims] == sorted({account for account, _ in found})
    assert all(claim.entries == tuple(sorted(claim.entries)) for claim in claims)
