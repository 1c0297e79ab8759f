"""Vectors of sections 4 and 5: intake's verdicts, the ledger, the settlement rule."""

from collections.abc import Sequence
from dataclasses import replace

from scripts.generators._vectors.form import Case, document
from scripts.generators._vectors.sample import (
    CHAIN_ID,
    DOMAIN,
    EPOCH_BOOK,
    EPOCH_SECONDS,
    GENESIS,
    INTAKE_GRACE_SECONDS,
    NODES,
    TICKET_SIGNER,
    VIEWERS,
    record,
    signature,
    signed,
    ticket,
)  # fmt: skip
from streamrp2p.allocation import Terms, allocate
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.ledger import merge
from streamrp2p.numbers import Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import CURVE_ORDER
from streamrp2p.verify import Checked, Intake, PoolAtEpoch, Rejected, verify

U128 = (1 << 128) - 1
GB = 10**9


def files() -> dict[str, bytes]:
    """Return the vector files by name."""
    return {
        "allocation.json": _allocation(),
        "ledger.json": _ledger(),
        "verify.json": _verify(),
    }


def _allocation() -> bytes:
    cases = [
        _allocated([GB], 7, 10, 100, 0),
        _allocated([GB - 1], 1, 10, 100, 0),
        _allocated([1, 1, 1], 10**18, 100, 100, 0),
        _allocated([1, 2, 3, 4], 10**18, 10, 1000, 993),
        _allocated([5 * GB, 3 * GB, 1], 2_000_000, 10**30, 10**30, 0),
        _allocated([5 * GB, 3 * GB], 2_000_000, 10_000_000, 10**30, 0),
        _allocated([5 * GB], 2_000_000, 10**30, 10**30, 10**30),
        _allocated([GB], 0, 10, 100, 0),
        _allocated([GB], 7, 0, 100, 0),
        _allocated([GB], 7, 10, 0, 0),
        _allocated([], 7, 10, 100, 42),
        _allocated([U128], U128, U128, U128, 0),
        _allocated([U128 - 1, 1], U128, U128, U128, 0),
        _allocated([U128 - 1, 1], U128, U128, U128, 1),
        _allocated([2**127, 2**127 - 1], U128, 3, U128, U128 - 2),
    ]
    return document("One pool in one epoch: weights of its nodes to spend and rewards.", cases)


def _allocated(weights: Sequence[int], price: int, budget: int, funded: int, previous: int) -> Case:
    result = allocate(weights, Terms(price, budget, TICKET_SIGNER), funded, previous)
    return {
        "nodeWeights": weights,
        "weight": sum(weights),
        "pricePerGB": price,
        "epochBudget": budget,
        "funded": funded,
        "previousCumulativeSpend": previous,
        "spend": result.spend,
        "cumulativeSpend": result.cumulative_spend,
        "rewards": result.rewards,
    }


def _ledger() -> bytes:
    of = ticket()
    first = record(of, 1000, 900, sequence=1)
    second = record(of, 2000, 1900, sequence=2)
    low_told_twice = record(of, 2000, 1000, sequence=2)
    nothing = record(of, 1, 0, sequence=2)
    shrunk = record(of, 1500, 1400, sequence=3)
    other_time = signed(of, replace(second.receipt, signed_at=second.receipt.signed_at + 1))
    stories: tuple[tuple[str, tuple[SessionRecord, ...]], ...] = (
        ("a higher sequence replaces", (first, second)),
        ("a lower sequence changes nothing", (second, first)),
        ("the same record changes nothing", (second, second)),
        ("the same sequence with other content keeps the lower weight", (second, low_told_twice)),
        ("the lower weight stays when it came first", (low_told_twice, second)),
        (
            "equal weights keep the lower bytes",
            tuple(sorted((second, other_time), key=SessionRecord.encode)),
        ),
        ("weight 0 does not replace at the same sequence", (second, nothing)),
        ("weight 0 is replaced at the same sequence", (nothing, second)),
        ("weight 0 is replaced at a lower sequence", (nothing, first)),
        ("fewer bytes at a higher sequence are refused", (second, shrunk)),
    )
    return document(
        "Records of one session in the order of their arrival; `kept` is what then stands in the ledger.",
        [_story(name, records) for name, records in stories],
    )


def _story(name: str, records: Sequence[SessionRecord]) -> Case:
    known: Checked | None = None
    codes = []
    evidence: list[bytes] = []
    for each in records:
        merged = merge(known, Checked(each))
        if isinstance(merged, Rejected):
            codes.append(int(merged.code))
            continue
        codes.append(0)
        known = merged.kept
        if merged.evidence is not None:
            evidence.append(merged.evidence.record.encode())
    assert known is not None  # noqa: S101 - the first record of a story is always kept
    return {
        "name": name,
        "records": [each.encode() for each in records],
        "codes": codes,
        "kept": known.record.encode(),
        "evidence": evidence,
    }


def _verify() -> bytes:
    of = ticket()
    good = record(of, 1_000_000, 900_000)
    clock = EpochClock(GENESIS, EPOCH_SECONDS, INTAKE_GRACE_SECONDS)
    pool = PoolAtEpoch(is_open=True, ticket_signer=TICKET_SIGNER, max_bytes_per_second=1_000_000)
    facts = Intake(DOMAIN, clock, of.issued_at + 100, NODES[0], 2, True, {1: pool}, frozenset(), 5)
    late = clock.intake_end(2)
    many_pools = frozenset(range(2, 258))
    by_other = signed(of, good.receipt)
    stranger = signature(of, VIEWERS[3])
    cases: tuple[tuple[str, SessionRecord, Intake], ...] = (
        ("accepted", good, facts),
        ("accepted at the last second of intake", good, replace(facts, now=late - 1)),
        ("accepted in its 256th pool", good, replace(facts, earning_pools=frozenset(range(2, 257)))),
        ("INTAKE_CLOSED", good, replace(facts, now=late)),
        ("WRONG_EPOCH, not begun", good, replace(facts, now=clock.start(2) - 1)),
        ("WRONG_EPOCH, another submission's", good, replace(facts, epoch=1)),
        ("NODE_NOT_REGISTERED", good, replace(facts, node_is_registered=False)),
        ("WRONG_NODE", good, replace(facts, node=NODES[1])),
        ("UNKNOWN_POOL", good, replace(facts, pools={2: pool})),
        ("POOL_CLOSED", good, replace(facts, pools={1: replace(pool, is_open=False)})),
        ("MALFORMED", record(of, 10, 11), facts),
        ("OVER_CREDIT", record(of, of.max_bytes + 1, 0), facts),
        ("TICKET_EXPIRED, too late", _signed_at(good, of.expires_at + 121), replace(facts, now=of.expires_at + 125)),
        ("TICKET_EXPIRED, too early", _signed_at(good, of.issued_at - 121), facts),
        ("TICKET_EXPIRED, in the future", _signed_at(good, facts.now + 121), facts),
        ("OVER_RATE", record(of, 20_000_001, 0), replace(facts, now=of.issued_at + 15)),
        ("accepted at the full rate", record(of, 20_000_000, 0), replace(facts, now=of.issued_at + 15)),
        ("HIGH_S in the ticket", replace(good, ticket_signature=_high_s(good.ticket_signature)), facts),
        ("HIGH_S in the receipt", replace(good, receipt_signature=_high_s(good.receipt_signature)), facts),
        ("BAD_TICKET_SIGNATURE", replace(good, ticket_signature=stranger), facts),
        ("BAD_RECEIPT_SIGNATURE", replace(by_other, receipt_signature=stranger), facts),
        ("BAD_RECEIPT_SIGNATURE, v is 0", replace(good, receipt_signature=_with_v(good, 0)), facts),
        ("TOO_MANY_POOLS", good, replace(facts, earning_pools=many_pools)),
    )  # fmt: skip
    return document(
        "Intake's verdict on one record; `code` 0 is accepted.",
        [_verdict(name, each, intake) for name, each, intake in cases],
        chainId=CHAIN_ID,
        epochBook=EPOCH_BOOK,
        genesis=GENESIS,
        epochSeconds=EPOCH_SECONDS,
        intakeGraceSeconds=INTAKE_GRACE_SECONDS,
        rateSlackSeconds=facts.rate_slack_seconds,
    )


def _verdict(name: str, each: SessionRecord, intake: Intake) -> Case:
    verdict = verify(each, intake)
    return {
        "name": name,
        "record": each.encode(),
        "now": intake.now,
        "node": intake.node,
        "epoch": intake.epoch,
        "nodeIsRegistered": intake.node_is_registered,
        "poolIds": list(intake.pools),
        "poolIsOpen": [pool.is_open for pool in intake.pools.values()],
        "poolTicketSigners": [pool.ticket_signer for pool in intake.pools.values()],
        "poolMaxBytesPerSecond": [pool.max_bytes_per_second for pool in intake.pools.values()],
        "earningPools": sorted(intake.earning_pools),
        "code": int(verdict.code) if isinstance(verdict, Rejected) else 0,
    }


def _signed_at(of: SessionRecord, signed_at: int) -> SessionRecord:
    return signed(of.ticket, replace(of.receipt, signed_at=signed_at))


def _high_s(low: bytes) -> Signature:
    s = CURVE_ORDER - int.from_bytes(low[32:64])
    return Signature(low[:32] + s.to_bytes(32) + bytes([55 - low[64]]))


def _with_v(of: SessionRecord, v: int) -> Signature:
    return Signature(of.receipt_signature[:64] + bytes([v]))
