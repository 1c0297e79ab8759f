"""What a person reads of an explanation: formulas that hold when they are calculated."""

import re

from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.allocation import Terms
from streamrp2p.explanation import Explanation, PoolInEpoch, explain
from streamrp2p.explanation_view import explanation_lines, refusal_lines
from streamrp2p.numbers import ZERO_ADDRESS, Address, SessionId, Signature
from streamrp2p.records import SignedRejection
from streamrp2p.settlement import PoolInput
from streamrp2p.tally import Tally
from tests.support.epochs import signed_record

ACCOUNT = Address(b"\x33" * 20)


def explained(
    deliveries: list[tuple[int, int]], others: int, price: int, funded: int, spent: int
) -> Explanation:
    records = [
        signed_record(0, 1, 0, 0, (on_time + late, on_time), 0) for on_time, late in deliveries
    ]
    own = sum(map(Tally.of, records), Tally())
    pool = PoolInput(1, Terms(price, 10**9, ZERO_ADDRESS), funded)
    return explain(ACCOUNT, 7, [PoolInEpoch(pool, spent, own.weight + others)], {1: own})


amounts = st.integers(0, 10**12)


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3)), min_size=1, max_size=4),
    amounts, amounts, amounts, amounts,
)  # fmt: skip
def test_every_formula_holds(
    deliveries: list[tuple[int, int]], others: int, price: int, funded: int, spent: int
) -> None:
    found = explained(deliveries, others, price, funded, spent)
    lines = explanation_lines(found)
    formulas = [line.split(maxsplit=1)[1] for line in lines if " = " in line]
    assert len(formulas) >= 3
    for formula in formulas:
        left, _, right = re.sub(r", rounded down$", "", formula).partition(" = ")
        left = re.sub(r"[a-zA-Z ]", "", left).replace("^", "**").replace("/", "//")
        assert eval(left) == int(right), formula  # noqa: S307 - digits and signs alone are left
    (pool,) = found.pools
    assert ("rounded down" in lines[-1]) == (
        pool.state.spend * pool.own.weight % pool.state.weight != 0
    )


def test_a_pool_that_spent_all_is_told() -> None:
    lines = explanation_lines(explained([(10, 0)], 0, 10**9, 5, 5))
    assert "  funds      5 deposited - 5 spent before leaves nothing" in lines
    assert "  spend      0: the least of the three, what the pool still holds" in lines


def test_amounts_are_named_where_the_token_is_known() -> None:
    lines = explanation_lines(
        explained([(10, 0)], 0, 10**9, 50, 5), lambda _, units: f" ({units}!)"
    )
    assert lines[-1] == "  reward     10 * 10 / 10 = 10 (10!)"


def test_an_account_without_sessions_is_told() -> None:
    assert explanation_lines(Explanation(ACCOUNT, 7, ())) == [
        "nothing that the account relayed in this epoch was taken in"
    ]


def test_a_refusal_of_a_later_version_and_of_any_time_is_shown() -> None:
    signed = SignedRejection(SessionId(bytes(32)), 1, 999, (1 << 64) - 1, Signature(bytes(65)))
    assert refusal_lines([(signed, "So it says.")]) == [
        "refused for a reason that this version does not know (999), 9999-12-31 23:59:59 UTC",
        f"  session    0x{'00' * 32}, sequence 1",
        f"  signature  0x{'00' * 65}",
        "  So it says.",
    ]
