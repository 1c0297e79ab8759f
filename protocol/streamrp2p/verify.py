"""Received → Checked | Rejected(code): the checks of docs/protocol.md section 4, in its order, first failure wins."""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import IntEnum

from streamrp2p.epoch_clock import EpochClock
from streamrp2p.errors import HighSError, SignatureError
from streamrp2p.evidence import Facts
from streamrp2p.numbers import (
    CLOCK_SKEW_SECONDS,
    MAX_POOLS_PER_ACCOUNT,
    Address,
    Hash,
    SessionId,
)
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import NodeRow, PoolRow
from streamrp2p.signatures import check_low_s, check_signer
from streamrp2p.typed_data import Domain, SessionTicket


class Code(IntEnum):
    """Why a record is rejected. The numbers are part of the protocol."""

    UNKNOWN_POOL = 1
    POOL_CLOSED = 2
    WRONG_EPOCH = 3
    TICKET_EXPIRED = 4
    BAD_TICKET_SIGNATURE = 5
    BAD_RECEIPT_SIGNATURE = 6
    HIGH_S = 7
    OVER_CREDIT = 8
    OVER_RATE = 9
    NOT_MONOTONE = 10
    NODE_NOT_REGISTERED = 11
    INTAKE_CLOSED = 12
    WRONG_NODE = 13
    MALFORMED = 14
    TOO_MANY_POOLS = 15
    SUSPECT = 100
    PROBE_CORRUPT = 101
    PROBE_UNSERVED = 102
    OVER_BITRATE = 103
    CONCENTRATION = 110
    CLUSTER = 111
    STEERED = 112
    ONE_NETWORK = 113


@dataclass(frozen=True, slots=True)
class PoolAtEpoch:
    """What the chain says of one pool in one epoch, as intake needs it."""

    is_open: bool
    ticket_signer: Address
    max_bytes_per_second: int


@dataclass(frozen=True, slots=True)
class Intake:
    """The facts that one batch is judged by. `now` is the coordinator's clock, in Unix seconds.

    `pools` holds every pool that the chain knows, as of the submission's epoch; `earning_pools` are those that the
    submitting node already earns or earned from.
    """

    domain: Domain
    clock: EpochClock
    now: int
    node: Address
    epoch: int
    node_is_registered: bool
    pools: Mapping[int, PoolAtEpoch]
    earning_pools: AbstractSet[int]
    rate_slack_seconds: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A record that passed every check of intake. Only `verify` and the auditor make these."""

    record: SessionRecord

    @property
    def session_id(self) -> SessionId:
        """The session's name."""
        return self.record.session_id

    @property
    def weight(self) -> int:
        """Weighted bytes."""
        return self.record.weight


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that broke a rule; the coordinator signs this as a `Rejection`."""

    session_id: SessionId
    sequence: int
    code: Code
    evidence: Facts = field(default_factory=dict, compare=False)
    """What the rule compared; `refusal.facts_of` tells it."""


def verify(
    record: SessionRecord, intake: Intake, known: Checked | None = None
) -> Checked | Rejected:
    """Judge one record. `known` is the session's newest checked record: its ticket need not be recovered again.

    Monotony against `known` is the ledger's rule (`ledger.merge`). Never raises for any decodable record.
    """
    for code, breaks in _INTAKE_RULES:
        if breaks(record, intake):
            return Rejected(record.session_id, record.receipt.sequence, code)
    ticket_is_known = (
        known is not None
        and known.record.ticket_signature == record.ticket_signature
        and known.record.ticket == record.ticket
    )
    ticket_signer = intake.pools[record.ticket.pool_id].ticket_signer
    fault = signature_fault(record, intake.domain, ticket_signer, ticket_is_known=ticket_is_known)
    if fault is None and _too_many_pools(record, intake):
        fault = Code.TOO_MANY_POOLS
    return (
        Checked(record)
        if fault is None
        else Rejected(record.session_id, record.receipt.sequence, fault)
    )


def leaf_fault(
    record: SessionRecord, domain: Domain, epoch: int, ticket_signer: Address
) -> Code | None:
    """Return the rule of section 3 that a committed session leaf breaks, or None.

    Needs no clock: anyone can repeat it.
    """
    if record.ticket.epoch != epoch:
        return Code.WRONG_EPOCH
    if _is_malformed(record):
        return Code.MALFORMED
    if _is_over_credit(record):
        return Code.OVER_CREDIT
    return signature_fault(record, domain, ticket_signer)


def session_faults(
    record: SessionRecord, domain: Domain, epoch: int, pool: PoolRow, node: NodeRow, ticket_signer: Address
) -> Iterator[tuple[str, str, str]]:  # fmt: skip
    """Yield `(field, expected, found)` of each rule of section 3 that a leaf under these rows breaks."""
    ticket = record.ticket
    if ticket.pool_id != pool.pool_id:
        yield "poolId", str(pool.pool_id), str(ticket.pool_id)
    if ticket.node != node.node:
        yield "node", f"0x{node.node.hex()}", f"0x{ticket.node.hex()}"
    fault = leaf_fault(record, domain, epoch, ticket_signer)
    if fault is not None:
        yield "rule", "a valid record", fault.name
    if record.weight == 0:
        yield "weight", "more than 0", "0"


def elapsed_seconds(ticket: SessionTicket, now: int) -> int:
    """Return how long a ticket's session can have lasted by `now`."""
    return max(min(now, ticket.expires_at) - ticket.issued_at, 0)


def most_bytes(
    ticket: SessionTicket, now: int, max_bytes_per_second: int, rate_slack_seconds: int
) -> int:
    """Return the most that a ticket's receipt may claim at `now`, in bytes; what is too much now may not be later."""
    return max_bytes_per_second * (elapsed_seconds(ticket, now) + rate_slack_seconds)


def seconds_until_allowed(
    ticket: SessionTicket,
    bytes_delivered: int,
    now: int,
    max_bytes_per_second: int,
    rate_slack_seconds: int,
) -> int:
    """Return how long before `most_bytes` allows so many bytes, 0 if it does, while the ticket has not expired."""
    seconds = -(-bytes_delivered // max(max_bytes_per_second, 1)) - rate_slack_seconds
    return max(ticket.issued_at + seconds - now, 0)


def signature_fault(
    record: SessionRecord,
    domain: Domain,
    ticket_signer: Address,
    *,
    ticket_is_known: bool = False,
) -> Code | None:
    """Return HIGH_S, BAD_TICKET_SIGNATURE or BAD_RECEIPT_SIGNATURE, or None when both signatures hold.

    A receipt of another session than the ticket's is a bad receipt: its 274 bytes would not verify.
    """
    ticket = record.ticket
    try:
        check_low_s(record.ticket_signature)
        check_low_s(record.receipt_signature)
    except HighSError:
        return Code.HIGH_S
    try:
        if not ticket_is_known:
            # A session's name is its ticket's struct hash, and known by now.
            check_signer(
                domain.digest(Hash(record.session_id)),
                record.ticket_signature,
                ticket_signer,
                "the pool's ticket signer",
            )
    except SignatureError:
        return Code.BAD_TICKET_SIGNATURE
    if record.receipt.session_id != record.session_id:
        return Code.BAD_RECEIPT_SIGNATURE
    try:
        check_signer(
            record.receipt.digest(domain),
            record.receipt_signature,
            ticket.viewer,
            "the ticket's viewer",
        )
    except SignatureError:
        return Code.BAD_RECEIPT_SIGNATURE
    return None


def _intake_is_closed(record: SessionRecord, intake: Intake) -> bool:
    return intake.now >= intake.clock.intake_end(record.ticket.epoch)


def _is_wrong_epoch(record: SessionRecord, intake: Intake) -> bool:
    epoch = record.ticket.epoch
    return epoch != intake.epoch or intake.now < intake.clock.start(epoch)


def _is_malformed(record: SessionRecord) -> bool:
    return record.receipt.bytes_on_time > record.receipt.bytes_delivered


def _is_over_credit(record: SessionRecord) -> bool:
    return record.receipt.bytes_delivered > record.ticket.max_bytes


def _is_expired(record: SessionRecord, intake: Intake) -> bool:
    ticket, signed_at = record.ticket, record.receipt.signed_at
    return (
        not ticket.issued_at - CLOCK_SKEW_SECONDS
        <= signed_at
        <= ticket.expires_at + CLOCK_SKEW_SECONDS
        or signed_at > intake.now + CLOCK_SKEW_SECONDS
    )


def _is_over_rate(record: SessionRecord, intake: Intake) -> bool:
    rate = intake.pools[record.ticket.pool_id].max_bytes_per_second
    most = most_bytes(record.ticket, intake.now, rate, intake.rate_slack_seconds)
    return record.receipt.bytes_delivered > most


def _too_many_pools(record: SessionRecord, intake: Intake) -> bool:
    return (
        record.ticket.pool_id not in intake.earning_pools
        and len(intake.earning_pools) >= MAX_POOLS_PER_ACCOUNT
    )


_INTAKE_RULES: tuple[tuple[Code, Callable[[SessionRecord, Intake], bool]], ...] = (
    (Code.INTAKE_CLOSED, _intake_is_closed),
    (Code.WRONG_EPOCH, _is_wrong_epoch),
    (Code.NODE_NOT_REGISTERED, lambda _, intake: not intake.node_is_registered),
    (Code.WRONG_NODE, lambda record, intake: record.ticket.node != intake.node),
    (
        Code.UNKNOWN_POOL,
        lambda record, intake: record.ticket.pool_id not in intake.pools,
    ),
    (
        Code.POOL_CLOSED,
        lambda record, intake: not intake.pools[record.ticket.pool_id].is_open,
    ),
    (Code.MALFORMED, lambda record, _: _is_malformed(record)),
    (Code.OVER_CREDIT, lambda record, _: _is_over_credit(record)),
    (Code.TICKET_EXPIRED, _is_expired),
    (Code.OVER_RATE, _is_over_rate),
)
"""Section 4's table up to the signatures, in its order."""
