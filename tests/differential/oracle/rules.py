"""Sections 3 to 5: weights, intake's table, the ledger, spends and rewards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from tests.differential.oracle.messages import decode_record, is_high_s, signer


def weight_of(delivered: int, on_time: int) -> int:
    return on_time + floor(Fraction(delivered - on_time, 2))


def weight_of_record(record: bytes) -> int:
    receipt = decode_record(record)[2]
    return weight_of(int(str(receipt["bytesDelivered"])), int(str(receipt["bytesOnTime"])))


def spend_of(weight: int, price: int, budget: int, funded: int, previous: int) -> int:
    return min(floor(Fraction(weight * price, 10**9)), budget, max(funded - previous, 0))


def rewards_of(spend: int, weights: Sequence[int]) -> list[int]:
    return [floor(spend * Fraction(weight, sum(weights))) for weight in weights]


@dataclass(frozen=True)
class Pool:
    is_open: bool
    ticket_signer: bytes
    max_bytes_per_second: int


@dataclass(frozen=True)
class Facts:
    """What intake judges by, times in Unix seconds."""

    chain_id: int
    epoch_book: bytes
    genesis: int
    epoch_seconds: int
    intake_grace_seconds: int
    rate_slack_seconds: int
    now: int
    node: bytes
    epoch: int
    node_is_registered: bool
    pools: dict[int, Pool]
    earning_pools: frozenset[int]


def code_of(record: bytes, facts: Facts) -> int:
    """Return section 4's code of the first rule that the record breaks, 0 for none."""
    ticket, ticket_signature, receipt, receipt_signature = decode_record(record)

    def of(message: dict[str, object], name: str) -> int:
        value = message[name]
        assert isinstance(value, int)
        return value

    epoch, pool_id = of(ticket, "epoch"), of(ticket, "poolId")
    delivered, on_time = of(receipt, "bytesDelivered"), of(receipt, "bytesOnTime")
    issued_at, expires_at = of(ticket, "issuedAt"), of(ticket, "expiresAt")
    signed_at = of(receipt, "signedAt")
    pool = facts.pools.get(pool_id)
    ends_at = facts.genesis + (epoch + 1) * facts.epoch_seconds
    chain = (facts.chain_id, facts.epoch_book)
    elapsed = max(0, min(facts.now, expires_at) - issued_at)
    rate = pool.max_bytes_per_second if pool else 0
    rules: tuple[tuple[int, Callable[[], bool]], ...] = (
        (12, lambda: facts.now >= ends_at + facts.intake_grace_seconds),
        (3, lambda: facts.now < ends_at - facts.epoch_seconds or epoch != facts.epoch),
        (11, lambda: not facts.node_is_registered),
        (13, lambda: ticket["node"] != facts.node),
        (1, lambda: pool is None),
        (2, lambda: pool is not None and not pool.is_open),
        (14, lambda: on_time > delivered),
        (8, lambda: delivered > of(ticket, "maxBytes")),
        (4, lambda: not issued_at - 120 <= signed_at <= expires_at + 120 or signed_at > facts.now + 120),
        (9, lambda: delivered > rate * (elapsed + facts.rate_slack_seconds)),
        (7, lambda: is_high_s(ticket_signature) or is_high_s(receipt_signature)),
        (5, lambda: pool is None
            or signer("SessionTicket", ticket, ticket_signature, *chain) != pool.ticket_signer),
        (6, lambda: signer("Receipt", receipt, receipt_signature, *chain) != ticket["viewer"]),
        (15, lambda: len(facts.earning_pools | {pool_id}) > 256),
    )  # fmt: skip
    return next((code for code, breaks in rules if breaks()), 0)


def ledger(records: Sequence[bytes]) -> tuple[bytes, list[int]]:
    """Return what stands for one session after these records arrived, and each one's code."""
    kept = records[0]
    codes = [0]
    for new in records[1:]:
        old_receipt, receipt = decode_record(kept)[2], decode_record(new)[2]
        names = ("sequence", "bytesDelivered", "bytesOnTime")
        old_sequence, *old_bytes = (int(str(old_receipt[name])) for name in names)
        sequence, *new_bytes = (int(str(receipt[name])) for name in names)
        code = 0
        if sequence == old_sequence:
            paid = [one for one in (kept, new) if weight_of_record(one)]
            kept = min((weight_of_record(one), one) for one in paid or (kept, new))[1]
        elif sequence > old_sequence and any(
            new_one < old_one for new_one, old_one in zip(new_bytes, old_bytes, strict=True)
        ):
            code = 10
        elif sequence > old_sequence or weight_of_record(new) > weight_of_record(kept) == 0:
            kept = new
        codes.append(code)
    return kept, codes
