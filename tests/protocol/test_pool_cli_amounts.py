"""Amounts are exact in both directions, whatever their size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.amounts import MAX_AMOUNT, format_amount, parse_amount
from streamrp2p.errors import MalformedError


@pytest.mark.parametrize(
    ("text", "decimals", "amount"),
    [
        ("12.5", 18, 12_500_000_000_000_000_000),
        ("0.000000000000000001", 18, 1),
        ("0", 18, 0),
        ("1000000000.1", 6, 1_000_000_000_100_000),
        ("7", 0, 7),
        ("1.50", 1, 15),
        ("340282366920938463463.374607431768211455", 18, MAX_AMOUNT),
    ],
)
def test_whole_tokens_become_base_units(text: str, decimals: int, amount: int) -> None:
    assert parse_amount(text, decimals) == amount


def test_base_units_stay_as_they_are() -> None:
    assert parse_amount("1000000000000000000000000001", 18, base_units=True) == 10**27 + 1


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1e18", "1,5", "1_000", "0x10", ".5", "5.", " 1", "1 ", "NaN", "Infinity", "\u0661", "1.2.3"],
)  # fmt: skip
def test_other_notations_are_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="an amount is like"):
        parse_amount(text, 18)


def test_decimals_that_the_token_lacks_are_refused() -> None:
    with pytest.raises(MalformedError, match="this token has 6 decimals"):
        parse_amount("0.0000001", 6)


def test_fraction_of_a_base_unit_is_refused() -> None:
    with pytest.raises(MalformedError, match="leave out --base-units"):
        parse_amount("12.5", 18, base_units=True)


@pytest.mark.parametrize("text", ["340282366920938463463.374607431768211456", "9" * 60])
def test_amounts_beyond_uint128_are_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="more than any commitment"):
        parse_amount(text, 18)


@pytest.mark.parametrize(
    ("amount", "decimals", "text"),
    [
        (12_500_000_000_000_000_000, 18, "12.5 SRP"),
        (1, 18, "0.000000000000000001 SRP"),
        (0, 18, "0 SRP"),
        (10**27 + 1, 18, "1000000000.000000000000000001 SRP"),
        (100, 0, "100 SRP"),
    ],
)
def test_base_units_are_shown_as_whole_tokens(amount: int, decimals: int, text: str) -> None:
    assert format_amount(amount, decimals, "SRP") == text


@given(st.integers(0, MAX_AMOUNT), st.integers(0, 36))
def test_what_is_shown_can_be_typed_again(amount: int, decimals: int) -> None:
    assert parse_amount(format_amount(amount, decimals), decimals) == amount
