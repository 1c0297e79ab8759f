"""Fees: below the ceiling or not at all, and an eighth more to replace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.chain import FeeCeilingError, Fees
from streamrp2p.chain.fees import fees_at, replacement

GWEI = 10**9
CEILING = Fees(100 * GWEI, 3 * GWEI)
fees = st.builds(
    lambda priority, rest: Fees(priority + rest, priority),
    st.integers(0, 10**13),
    st.integers(0, 10**13),
)


@pytest.mark.parametrize(
    ("base_gwei", "priority_gwei", "offered"),
    [
        (10, 2, Fees(22 * GWEI, 2 * GWEI)),
        (10, 9, Fees(23 * GWEI, 3 * GWEI)),
        (60, 2, Fees(100 * GWEI, 2 * GWEI)),
        (97, 3, Fees(100 * GWEI, 3 * GWEI)),
    ],
)
def test_fees_stay_below_the_ceiling(base_gwei: int, priority_gwei: int, offered: Fees) -> None:
    assert fees_at(base_gwei * GWEI, priority_gwei * GWEI, CEILING) == offered


def test_a_base_fee_above_the_ceiling_is_waited_out() -> None:
    with pytest.raises(FeeCeilingError, match="ceiling of 100000000000 wei") as caught:
        fees_at(98 * GWEI + 1, 2 * GWEI, CEILING)
    assert caught.value.retryable
    assert caught.value.fee_wei == 100 * GWEI + 1
    assert fees_at(98 * GWEI + 1, 2 * GWEI).max_fee_wei == 198 * GWEI + 2


@pytest.mark.parametrize(
    ("seconds_left", "priority_wei"),
    [(None, 10**6), (3600, 10**6), (600, 10**6), (300, 2 * 10**6), (60, 10**7), (0, 6 * 10**8)],
)
def test_more_is_offered_to_the_maker_of_the_block_when_time_runs_out(
    seconds_left: int | None, priority_wei: int
) -> None:
    offered = fees_at(GWEI, 10**6, CEILING, seconds_left)
    assert offered == Fees(2 * GWEI + priority_wei, priority_wei)
    assert fees_at(GWEI, 10**6, seconds_left=seconds_left) == offered


@pytest.mark.parametrize("base_gwei", [1, 98])
def test_no_hurry_goes_beyond_the_ceiling(base_gwei: int) -> None:
    offered = fees_at(base_gwei * GWEI, GWEI, CEILING, 1)
    assert offered.max_fee_wei <= CEILING.max_fee_wei
    assert offered.max_priority_fee_wei == min(3, 100 - base_gwei) * GWEI


def test_a_replacement_offers_an_eighth_more_or_todays_fees() -> None:
    replaced = Fees(40 * GWEI, 2 * GWEI)
    assert replacement(replaced, Fees(1, 1)) == Fees(45 * GWEI, 2_250_000_000)
    assert replacement(replaced, Fees(90 * GWEI, 3 * GWEI)) == Fees(90 * GWEI, 3 * GWEI)
    assert replacement(Fees(0, 0), Fees(0, 0)) == Fees(1, 1)


@pytest.mark.parametrize("replaced", [Fees(90 * GWEI, 1 * GWEI), Fees(10 * GWEI, 2_700_000_000)])
def test_a_replacement_above_the_ceiling_is_none(replaced: Fees) -> None:
    with pytest.raises(FeeCeilingError):
        replacement(replaced, Fees(1, 1), CEILING)


@given(fees, fees)
def test_every_pool_takes_a_replacement(replaced: Fees, today: Fees) -> None:
    made = replacement(replaced, today)
    assert 8 * made.max_fee_wei >= 9 * replaced.max_fee_wei
    assert 8 * made.max_priority_fee_wei >= 9 * replaced.max_priority_fee_wei
    assert made.max_fee_wei >= max(made.max_priority_fee_wei, today.max_fee_wei)
    assert made.max_priority_fee_wei >= today.max_priority_fee_wei
