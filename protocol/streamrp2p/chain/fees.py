"""What a transaction offers for its gas: EIP-1559 fees below a ceiling, and what one must offer to replace another."""

from dataclasses import dataclass

from streamrp2p.chain.errors import FeeCeilingError

REPLACEMENT_PERMILLE = 1125
"""What both fees must rise to, at least. Geth asks for a tenth more, other clients for an eighth."""
HURRY_SECONDS = 600
"""So long before a deadline more than the usual priority fee is offered: twice as much for half of the time."""


@dataclass(frozen=True, slots=True)
class Fees:
    """The most that is paid for one gas, and the part of it that the block's maker gets, both in wei.

    As a ceiling: what no transaction offers more than.
    """

    max_fee_wei: int
    max_priority_fee_wei: int


def fees_at(
    base_fee_wei: int,
    priority_fee_wei: int,
    ceiling: Fees | None = None,
    seconds_left: int | None = None,
) -> Fees:
    """Return what to offer above a base fee; the priority fee is the usual one, or more where a deadline is near.

    Raises FeeCeilingError when even this block's base fee is above the ceiling: no block would take it.
    """
    wanted = _hurried(priority_fee_wei, seconds_left)
    # Twice the base fee lasts for at least six full blocks.
    if ceiling is None:
        return Fees(2 * base_fee_wei + wanted, wanted)
    least = base_fee_wei + min(priority_fee_wei, ceiling.max_priority_fee_wei)
    if least > ceiling.max_fee_wei:
        raise FeeCeilingError(least, ceiling.max_fee_wei)
    priority = min(wanted, ceiling.max_priority_fee_wei, ceiling.max_fee_wei - base_fee_wei)
    return Fees(min(2 * base_fee_wei + priority, ceiling.max_fee_wei), priority)


def replacement(replaced: Fees, today: Fees, ceiling: Fees | None = None) -> Fees:
    """Return what to offer so that every pool lets go of the one that is replaced.

    Raises FeeCeilingError when that is above the ceiling: the one that is there must do.
    """
    priority = max(today.max_priority_fee_wei, _raised(replaced.max_priority_fee_wei))
    max_fee = max(today.max_fee_wei, _raised(replaced.max_fee_wei), priority)
    if ceiling is not None:
        if max_fee > ceiling.max_fee_wei:
            raise FeeCeilingError(max_fee, ceiling.max_fee_wei)
        if priority > ceiling.max_priority_fee_wei:
            raise FeeCeilingError(priority, ceiling.max_priority_fee_wei)
    return Fees(max_fee, priority)


def _hurried(priority_fee_wei: int, seconds_left: int | None) -> int:
    if seconds_left is None:
        return priority_fee_wei
    return priority_fee_wei * HURRY_SECONDS // min(max(seconds_left, 1), HURRY_SECONDS)


def _raised(fee_wei: int) -> int:
    # Rounded up, and by 1 wei where an eighth of it is less.
    return max(-(-fee_wei * REPLACEMENT_PERMILLE // 1000), fee_wei + 1)
