"""Token amounts as people write them: `12.5` whole tokens, exact in both directions, never a float."""

import re
from decimal import Decimal, localcontext

from streamrp2p.errors import MalformedError
from streamrp2p.numbers import BaseUnits

MAX_AMOUNT = (1 << 128) - 1
"""Commitments hold amounts as uint128."""

ETHER_DECIMALS = 18

_AMOUNT = re.compile(r"[0-9]{1,60}(?:\.([0-9]{1,60}))?")
_PRECISION = 200


def parse_amount(text: str, decimals: int, *, base_units: bool = False) -> BaseUnits:
    """Return base units of `text`, which are whole tokens with up to `decimals` decimals, or base units already.

    Raises MalformedError for signs, exponents, separators, too many decimals and amounts beyond uint128.
    """
    found = _AMOUNT.fullmatch(text)
    if not found:
        raise MalformedError(f"an amount is like 12.5, got {text[:80]!r}")
    if base_units and found[1] is not None:
        raise MalformedError(
            f"base units are whole numbers, got {text}; leave out --base-units for tokens"
        )
    if len((found[1] or "").rstrip("0")) > decimals:
        raise MalformedError(f"this token has {decimals} decimals, {text} has more; give fewer")
    with localcontext(prec=_PRECISION):
        amount = int(Decimal(text) if base_units else Decimal(text).scaleb(decimals))
    if amount > MAX_AMOUNT:
        raise MalformedError(f"{text} is more than any commitment can hold (2^128 base units)")
    return BaseUnits(amount)


def format_amount(amount: int, decimals: int, symbol: str = "") -> str:
    """Return whole tokens with all significant decimals: `12.5 SRP`."""
    with localcontext(prec=_PRECISION):
        text = f"{Decimal(amount).scaleb(-decimals):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {symbol}".strip()


def format_ether(wei: int) -> str:
    """Return wei as ether with all significant decimals: `0.5 ETH`."""
    return format_amount(wei, ETHER_DECIMALS, "ETH")
