"""An explanation for a person: each step as a formula that a pocket calculator can follow, in base units."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from streamrp2p.explanation import Bound, Explanation, PoolExplanation
from streamrp2p.numbers import BYTES_PER_GB
from streamrp2p.records import SignedRejection
from streamrp2p.verify import Code

LAST_TIME = 253_402_300_799
"""The end of the year 9999, in Unix seconds: calendars go no further."""

Named = Callable[[int, int], str]
"""Names an amount of a pool, given its id and base units, in whole tokens: ` (0.5 SRP)`, or nothing."""

_LEAST: dict[Bound, str] = {
    "weight": "what the bytes are worth",
    "budget": "the epoch's budget",
    "funds": "what the pool still holds",
}


def unnamed(_pool_id: int, _amount: int) -> str:
    """Leave an amount in base units."""
    return ""


def explanation_lines(explained: Explanation, named: Named = unnamed) -> list[str]:
    """Return the steps, pool by pool."""
    if not explained.pools:
        return ["nothing that the account relayed in this epoch was taken in"]
    return [line for pool in explained.pools for line in _pool_lines(pool, named)]


def refusal_lines(refusals: Iterable[tuple[SignedRejection, str]]) -> list[str]:
    """Return the refusals, each with what is to be said of it: its reason, or whether its signature holds."""
    return [line for signed, remark in refusals for line in _refusal_lines(signed, remark)]


def _pool_lines(pool: PoolExplanation, named: Named) -> Iterator[str]:
    own, state = pool.own, pool.state
    terms, funded = state.pool.terms, state.pool.funded

    def amount(base_units: int) -> str:
        return f"{base_units}{named(pool.pool_id, base_units)}"

    yield f"pool {pool.pool_id}"
    yield (
        f"  delivered  {own.bytes_delivered} bytes in {own.sessions} session{'s' * (own.sessions != 1)}, "
        f"{_percent(own.bytes_on_time, own.bytes_delivered)} of them on time"
    )
    yield (
        f"  weight     {own.bytes_on_time} on time + ({own.bytes_late} late - {own.rounded_sessions}) / 2 "
        f"= {own.weight}"
    )
    if own.rounded_sessions:
        yield (
            "             late bytes count half, in each session rounded down: "
            f"{own.rounded_sessions} ha{'s' if own.rounded_sessions == 1 else 've'} an odd number of them"
        )
    price = terms.price_per_gb
    yield (
        f"  worth      {state.weight} of all nodes * {price} per GB / 10^9 = {amount(state.worth)}"
        f"{_rounding(state.weight * price, BYTES_PER_GB)}"
    )
    yield f"  budget     {amount(terms.epoch_budget)} an epoch"
    left = f"= {amount(state.funds_left)}" if state.funds_left else "leaves nothing"
    yield (
        f"  funds      {funded} deposited - {state.previous_cumulative_spend} spent before {left}"
    )
    yield f"  spend      {amount(state.spend)}: the least of the three, {_LEAST[state.bound_by]}"
    yield (
        f"  share      {own.weight} of {state.weight}, {_percent(own.weight, state.weight)} of the pool's weight"
    )
    yield (
        f"  reward     {state.spend} * {own.weight} / {state.weight} = {amount(pool.reward)}"
        f"{_rounding(state.spend * own.weight, state.weight)}"
    )


def _refusal_lines(signed: SignedRejection, remark: str) -> Iterator[str]:
    names = {code.value: code.name for code in Code}
    name = names.get(signed.code, "for a reason that this version does not know")
    at = datetime.fromtimestamp(min(signed.received_at, LAST_TIME), UTC)
    yield f"refused {name} ({signed.code}), {at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"  session    0x{signed.session_id.hex()}, sequence {signed.sequence}"
    yield f"  signature  0x{signed.signature.hex()}"
    yield f"  {remark}"


def _rounding(dividend: int, divisor: int) -> str:
    return ", rounded down" if dividend % divisor else ""


def _percent(part: int, whole: int) -> str:
    """Return hundredths of a percent, rounded down."""
    hundredths = part * 10_000 // whole
    return f"{hundredths // 100}.{hundredths % 100:02} %"
