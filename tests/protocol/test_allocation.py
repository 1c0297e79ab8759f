from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.allocation import Allocation, Terms, allocate, reward_of, spend_of
from streamrp2p.errors import SettlementError
from streamrp2p.numbers import ZERO_ADDRESS

GB = 10**9
U128 = 2**128 - 1
RICH = 10**40

amounts = st.integers(0, 10**12) | st.integers(0, U128)
weights = st.lists(st.integers(1, 10**12) | st.integers(1, 2**90), max_size=8)


def terms(price: int = 7, budget: int = RICH) -> Terms:
    return Terms(price, budget, ZERO_ADDRESS)


def test_the_price_is_per_10_9_bytes_floored() -> None:
    assert spend_of(GB, terms(7), RICH, 0) == 7
    assert spend_of(GB - 1, terms(7), RICH, 0) == 6
    assert spend_of(GB // 7, terms(7), RICH, 0) == 0


def test_the_least_of_price_budget_and_deposit_is_spent() -> None:
    assert spend_of(10 * GB, terms(7, budget=50), RICH, 0) == 50
    assert spend_of(10 * GB, terms(7, budget=50), 100, 70) == 30
    assert spend_of(10 * GB, terms(7, budget=50), 100, 100) == 0


def test_rewards_are_shares_by_weight_floored_and_the_rest_stays_in_the_pool() -> None:
    assert allocate([1, 2, 3, 4], terms(10**18, 10), 1000, 993) == Allocation(7, 1000, (0, 1, 2, 2))


def test_a_pool_without_nodes_spends_nothing() -> None:
    assert allocate([], terms(), 100, 42) == Allocation(0, 42, ())


def test_the_widest_numbers_do_not_overflow() -> None:
    assert allocate([U128 - 1, 1], terms(U128, U128), U128, 0).rewards == (U128 - 1, 1)


def test_a_pool_that_spent_more_than_it_has_spends_nothing_more() -> None:
    assert allocate([GB], terms(), 5, 6) == Allocation(0, 6, (0,))


def test_a_pool_of_weight_0_has_no_shares() -> None:
    assert reward_of(100, 7, 0) == 0


@pytest.mark.parametrize("weight", [0, -1])
def test_a_node_without_weight_is_an_error(weight: int) -> None:
    with pytest.raises(SettlementError, match="without weight"):
        allocate([GB, weight], terms(), 5, 0)


@given(weights, amounts, amounts, amounts, amounts)
def test_the_budget_balances(own: list[int], price: int, budget: int, one: int, other: int) -> None:
    previous, funded = sorted((one, other))
    result = allocate(own, terms(price, budget), funded, previous)
    assert 0 <= result.spend <= min(budget, funded - previous)
    assert result.cumulative_spend == previous + result.spend <= funded
    assert sum(result.rewards) <= result.spend
    assert not own or sum(result.rewards) > result.spend - len(own)


@given(weights, st.lists(st.integers(1, 2**90), min_size=1, max_size=20), amounts, amounts)
def test_splitting_a_node_into_many_earns_less_than_a_unit_more(
    others: list[int], parts: list[int], price: int, budget: int
) -> None:
    whole = allocate([sum(parts), *others], terms(price, budget), RICH, 0)
    split = allocate([*parts, *others], terms(price, budget), RICH, 0)
    assert split.spend == whole.spend
    gained = sum(split.rewards[: len(parts)]) - whole.rewards[0]
    assert -len(parts) < gained <= 0
    assert split.rewards[len(parts) :] == whole.rewards[1:]


@given(weights.filter(bool), st.integers(1, 2**80), amounts, amounts)
def test_more_weight_never_earns_less(own: list[int], more: int, price: int, budget: int) -> None:
    before = allocate(own, terms(price, budget), RICH, 0)
    after = allocate([own[0] + more, *own[1:]], terms(price, budget), RICH, 0)
    assert after.spend >= before.spend
    assert after.rewards[0] >= before.rewards[0]


@given(weights.filter(bool), amounts, amounts, st.randoms(use_true_random=False))
def test_the_order_of_nodes_does_not_matter(
    own: list[int], price: int, budget: int, random: Random
) -> None:
    order = list(range(len(own)))
    random.shuffle(order)
    result = allocate(own, terms(price, budget), RICH, 0)
    shuffled = allocate([own[index] for index in order], terms(price, budget), RICH, 0)
    assert list(shuffled.rewards) == [result.rewards[index] for index in order]


@given(amounts, st.integers(1, U128), st.integers(1, U128))
def test_a_reward_never_exceeds_the_spend(spend: int, one: int, other: int) -> None:
    node, pool = sorted((one, other))
    assert reward_of(spend, node, pool) <= spend
