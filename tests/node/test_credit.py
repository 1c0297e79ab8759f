"""What a node gives on trust."""

from hypothesis import given
from hypothesis import strategies as st

from streamrp2p_node.credit import Credit

LENGTHS = st.integers(0, 10_000)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("serve"), LENGTHS),
        st.tuples(st.just("return"), LENGTHS),
        st.tuples(st.just("cover"), st.integers(0, 2**64 - 1)),
    )
)


def test_served_bytes_are_unpaid_until_a_receipt_covers_them() -> None:
    credit = Credit().served(1000).served(500)
    assert credit.unpaid_bytes == 1500
    assert credit.covered(1200).unpaid_bytes == 300


def test_an_older_or_smaller_claim_takes_nothing_back() -> None:
    assert Credit(1000, 800).covered(300) == Credit(1000, 800)


def test_a_claim_beyond_what_was_served_pays_for_nothing_that_comes_later() -> None:
    assert Credit(1000).covered(10**9).served(700).unpaid_bytes == 700


def test_one_segment_is_served_to_who_owes_nothing_even_beyond_the_window() -> None:
    assert Credit(5000, 5000).allows(900, window_bytes=100)
    assert not Credit(5000, 4999).allows(100, window_bytes=100)


def test_a_window_is_used_to_its_last_byte() -> None:
    assert Credit(60).allows(40, window_bytes=100)
    assert not Credit(60).allows(41, window_bytes=100)


@given(STEPS, st.integers(1, 20_000))
def test_a_viewer_never_owes_more_than_the_window_or_one_segment(
    steps: list[tuple[str, int]], window: int
) -> None:
    credit = Credit()
    for kind, value in steps:
        if kind == "serve" and credit.allows(value, window):
            credit = credit.served(value)
        elif kind == "return":
            credit = credit.returned(value)
        elif kind == "cover":
            credit = credit.covered(value)
        assert 0 <= credit.covered_bytes <= credit.served_bytes
        assert credit.unpaid_bytes <= max(window, 10_000)


@given(STEPS)
def test_receipts_and_returns_never_raise_the_debt(steps: list[tuple[str, int]]) -> None:
    credit = Credit(50_000, 10_000)
    for kind, value in steps:
        after = credit.returned(value) if kind == "return" else credit.covered(value)
        assert after.unpaid_bytes <= credit.unpaid_bytes
        credit = after
