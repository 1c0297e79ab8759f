from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.epoch_clock import EpochClock
from streamrp2p.numbers import Address, Hash, SessionId, Signature
from streamrp2p.receipt import RECORD_LENGTH, SessionRecord
from streamrp2p.signatures import CURVE_ORDER, address_of
from streamrp2p.verify import (
    Checked,
    Code,
    Intake,
    PoolAtEpoch,
    Rejected,
    leaf_fault,
    most_bytes,
    seconds_until_allowed,
    signature_fault,
    verify,
)
from tests.support.changed import changed
from tests.support.epochs import DOMAIN, NODES, TICKET_KEY, VIEWER_KEYS
from tests.support.sessions import make_record, make_ticket, resigned

CLOCK = EpochClock(1_700_000_000, 600, 60)
START = CLOCK.start(2)
TICKET_SIGNER = address_of(TICKET_KEY)
POOL = PoolAtEpoch(is_open=True, ticket_signer=TICKET_SIGNER, max_bytes_per_second=1000)
TICKET = make_ticket(
    epoch=2, node=NODES[0], viewer_key=VIEWER_KEYS[0], issued_at=START, max_bytes=100_000
)
RECORD = make_record(
    TICKET, domain=DOMAIN, ticket_key=TICKET_KEY, viewer_key=VIEWER_KEYS[0], delivered=9000
)
INTAKE = Intake(
    domain=DOMAIN,
    clock=CLOCK,
    now=START + 100,
    node=NODES[0],
    epoch=2,
    node_is_registered=True,
    pools={1: POOL},
    earning_pools=frozenset(),
    rate_slack_seconds=5,
)
FULL = frozenset(range(2, 258))


def high_s(signature: Signature) -> Signature:
    s = CURVE_ORDER - int.from_bytes(signature[32:64])
    return Signature(signature[:32] + s.to_bytes(32) + bytes([55 - signature[64]]))


def told(**receipt: int) -> SessionRecord:
    return resigned(RECORD, changed(RECORD.receipt, **receipt), DOMAIN, VIEWER_KEYS[0])


def code_of(record: SessionRecord, intake: Intake = INTAKE) -> Code | None:
    verdict = verify(record, intake)
    return verdict.code if isinstance(verdict, Rejected) else None


def test_an_honest_record_is_checked() -> None:
    assert verify(RECORD, INTAKE) == Checked(RECORD)
    assert Checked(RECORD).weight == 9000
    assert Checked(RECORD).session_id == TICKET.session_id


def test_a_rejection_names_session_sequence_and_code() -> None:
    assert verify(RECORD, replace(INTAKE, node=NODES[1])) == Rejected(
        TICKET.session_id, 1, Code.WRONG_NODE
    )


@pytest.mark.parametrize(
    ("code", "intake"),
    [
        (Code.INTAKE_CLOSED, replace(INTAKE, now=CLOCK.intake_end(2))),
        (Code.WRONG_EPOCH, replace(INTAKE, now=START - 1)),
        (Code.WRONG_EPOCH, replace(INTAKE, epoch=3)),
        (Code.NODE_NOT_REGISTERED, replace(INTAKE, node_is_registered=False)),
        (Code.WRONG_NODE, replace(INTAKE, node=NODES[1])),
        (Code.UNKNOWN_POOL, replace(INTAKE, pools={})),
        (Code.POOL_CLOSED, replace(INTAKE, pools={1: replace(POOL, is_open=False)})),
        (Code.OVER_RATE, replace(INTAKE, now=START + 3)),
        (Code.BAD_TICKET_SIGNATURE, replace(INTAKE, pools={1: replace(POOL, ticket_signer=NODES[1])})),
        (Code.TOO_MANY_POOLS, replace(INTAKE, earning_pools=FULL)),
    ],
    ids=lambda value: value.name if isinstance(value, Code) else "",
)  # fmt: skip
def test_each_fact_that_is_wrong_gives_its_code(code: Code, intake: Intake) -> None:
    assert code_of(RECORD, intake) is code


@pytest.mark.parametrize(
    ("code", "record"),
    [
        (Code.MALFORMED, told(bytes_on_time=9001)),
        (Code.OVER_CREDIT, told(bytes_delivered=100_001)),
        (Code.TICKET_EXPIRED, told(signed_at=START - 121)),
        (Code.TICKET_EXPIRED, told(signed_at=START + 721)),
        (Code.TICKET_EXPIRED, told(signed_at=START + 221)),
        (Code.HIGH_S, replace(RECORD, ticket_signature=high_s(RECORD.ticket_signature))),
        (Code.HIGH_S, replace(RECORD, receipt_signature=high_s(RECORD.receipt_signature))),
        (Code.BAD_TICKET_SIGNATURE, replace(RECORD, ticket_signature=Signature(bytes(65)))),
        (Code.BAD_RECEIPT_SIGNATURE, replace(RECORD, receipt_signature=RECORD.ticket_signature)),
    ],
    ids=lambda value: value.name if isinstance(value, Code) else "",
)
def test_each_record_that_is_wrong_gives_its_code(code: Code, record: SessionRecord) -> None:
    assert code_of(record) is code


@pytest.mark.parametrize(
    ("record", "intake"),
    [
        (RECORD, replace(INTAKE, now=CLOCK.intake_end(2) - 1)),
        (RECORD, replace(INTAKE, now=START + 4)),
        (told(signed_at=START + 220), INTAKE),
        (told(signed_at=START - 120), INTAKE),
        (told(signed_at=START + 720), replace(INTAKE, now=START + 600)),
        (told(bytes_delivered=100_000), INTAKE),
        (RECORD, replace(INTAKE, earning_pools=FULL - {2})),
        (RECORD, replace(INTAKE, earning_pools=FULL - {2} | {1})),
    ],
)
def test_the_last_value_within_each_limit_is_accepted(
    record: SessionRecord, intake: Intake
) -> None:
    assert code_of(record, intake) is None


def test_elapsed_time_stops_at_the_tickets_expiry_and_starts_at_zero() -> None:
    slow = replace(INTAKE, pools={1: replace(POOL, max_bytes_per_second=10)})
    expired = replace(slow, now=START + 650)
    # 600 s of the ticket and 5 s of slack, 10 bytes each.
    assert code_of(told(bytes_delivered=6050, bytes_on_time=0), expired) is None
    assert code_of(told(bytes_delivered=6051, bytes_on_time=0), expired) is Code.OVER_RATE
    ahead = replace(TICKET, issued_at=START + 50)
    before_it = replace(slow, now=START + 49)
    record = partial(
        make_record, ahead, domain=DOMAIN, ticket_key=TICKET_KEY, viewer_key=VIEWER_KEYS[0]
    )
    assert code_of(record(delivered=50), before_it) is None
    assert code_of(record(delivered=51), before_it) is Code.OVER_RATE


def test_the_first_rule_that_fails_gives_the_code() -> None:
    """Break all of the rules, then mend them one by one in the table's order."""
    intake = Intake(
        domain=DOMAIN,
        clock=CLOCK,
        now=CLOCK.intake_end(2),
        node=NODES[1],
        epoch=3,
        node_is_registered=False,
        pools={},
        earning_pools=FULL,
        rate_slack_seconds=0,
    )
    record = told(bytes_delivered=100_001, bytes_on_time=100_002, signed_at=START - 500)
    record = replace(record, ticket_signature=high_s(RECORD.ticket_signature))
    stranger = replace(POOL, ticket_signer=NODES[1], max_bytes_per_second=1)
    found = []

    def step(**changes: object) -> None:
        nonlocal intake
        intake = replace(intake, **changes)  # type: ignore[arg-type]
        found.append(code_of(record, intake))

    step()
    step(now=START + 50)
    step(epoch=2)
    step(node_is_registered=True)
    step(node=NODES[0])
    step(pools={1: replace(stranger, is_open=False)})
    step(pools={1: stranger})
    record = replace(record, receipt=replace(record.receipt, bytes_on_time=0))
    step()
    record = replace(record, receipt=replace(record.receipt, bytes_delivered=100_000))
    step()
    record = replace(record, receipt=replace(record.receipt, signed_at=START))
    step()
    step(pools={1: replace(stranger, max_bytes_per_second=10_000)})
    record = replace(record, ticket_signature=RECORD.ticket_signature)
    step()
    step(pools={1: replace(POOL, max_bytes_per_second=10_000)})
    record = resigned(record, record.receipt, DOMAIN, VIEWER_KEYS[0])
    step()
    step(earning_pools=frozenset())
    assert found == [
        Code.INTAKE_CLOSED,
        Code.WRONG_EPOCH,
        Code.NODE_NOT_REGISTERED,
        Code.WRONG_NODE,
        Code.UNKNOWN_POOL,
        Code.POOL_CLOSED,
        Code.MALFORMED,
        Code.OVER_CREDIT,
        Code.TICKET_EXPIRED,
        Code.OVER_RATE,
        Code.HIGH_S,
        Code.BAD_TICKET_SIGNATURE,
        Code.BAD_RECEIPT_SIGNATURE,
        Code.TOO_MANY_POOLS,
        None,
    ]


def test_a_receipt_of_another_session_is_refused_though_its_viewer_signed_it() -> None:
    stray = resigned(
        RECORD,
        replace(RECORD.receipt, session_id=SessionId(Hash(bytes(32)))),
        DOMAIN,
        VIEWER_KEYS[0],
    )
    assert code_of(stray) is Code.BAD_RECEIPT_SIGNATURE


def test_a_known_tickets_signature_is_not_recovered_again_but_another_one_is() -> None:
    stranger = replace(INTAKE, pools={1: replace(POOL, ticket_signer=NODES[1])})
    assert isinstance(verify(RECORD, stranger, known=Checked(RECORD)), Checked)
    resigned_ticket = replace(RECORD, ticket_signature=RECORD.receipt_signature)
    assert isinstance(verify(resigned_ticket, INTAKE, known=Checked(RECORD)), Rejected)


def test_a_known_signature_beneath_another_ticket_is_recovered() -> None:
    other = replace(TICKET, max_bytes=2**64 - 1)
    receipt = replace(RECORD.receipt, session_id=other.session_id)
    forged = resigned(replace(RECORD, ticket=other), receipt, DOMAIN, VIEWER_KEYS[0])
    verdict = verify(forged, INTAKE, known=Checked(RECORD))
    assert isinstance(verdict, Rejected)
    assert verdict.code is Code.BAD_TICKET_SIGNATURE


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (RECORD, None),
        (told(bytes_on_time=9001), Code.MALFORMED),
        (told(bytes_delivered=100_001), Code.OVER_CREDIT),
        (replace(RECORD, receipt_signature=Signature(bytes(65))), Code.BAD_RECEIPT_SIGNATURE),
        (replace(RECORD, ticket_signature=high_s(RECORD.ticket_signature)), Code.HIGH_S),
    ],
)
def test_a_leaf_is_judged_without_a_clock(record: SessionRecord, fault: Code | None) -> None:
    assert leaf_fault(record, DOMAIN, 2, TICKET_SIGNER) is fault


def test_a_leaf_of_another_epoch_or_chain_is_wrong() -> None:
    assert leaf_fault(RECORD, DOMAIN, 3, TICKET_SIGNER) is Code.WRONG_EPOCH
    elsewhere = replace(DOMAIN, chain_id=1)
    assert signature_fault(RECORD, elsewhere, TICKET_SIGNER) is Code.BAD_TICKET_SIGNATURE


@given(st.binary(min_size=RECORD_LENGTH, max_size=RECORD_LENGTH), st.integers(0, 2**64))
def test_arbitrary_bytes_are_judged_and_never_accepted(data: bytes, now: int) -> None:
    record = SessionRecord.decode(data)
    generous = replace(
        INTAKE,
        now=now,
        node=record.ticket.node,
        epoch=record.ticket.epoch,
        clock=EpochClock(0, 1, 2**70),
        pools={record.ticket.pool_id: replace(POOL, max_bytes_per_second=2**64)},
    )
    assert isinstance(verify(record, generous), Rejected)


@given(st.integers(0, RECORD_LENGTH - 1), st.integers(1, 255))
def test_no_byte_of_an_accepted_record_can_change(at: int, change: int) -> None:
    data = bytearray(RECORD.encode())
    data[at] ^= change
    assert isinstance(verify(SessionRecord.decode(bytes(data)), INTAKE), Rejected)


@given(st.integers(0, 2**160 - 1))
def test_a_stranger_cannot_admit_viewers(signer: int) -> None:
    address = Address(signer.to_bytes(20))
    if address != TICKET_SIGNER:
        assert signature_fault(RECORD, DOMAIN, address) is Code.BAD_TICKET_SIGNATURE


@given(st.integers(0, 10**9), st.integers(1, 10**7), st.integers(0, 60), st.integers(1_000, 1_600))
def test_the_wait_for_the_rate_is_the_shortest_after_which_it_allows_the_bytes(
    delivered: int, rate: int, slack: int, now: int
) -> None:
    ticket = replace(
        make_ticket(node=NODES[0], viewer_key=VIEWER_KEYS[0], issued_at=1_000),
        expires_at=10**12,
    )
    wait = seconds_until_allowed(ticket, delivered, now, rate, slack)
    assert delivered <= most_bytes(ticket, now + wait, rate, slack)
    assert wait == 0 or delivered > most_bytes(ticket, now + wait - 1, rate, slack)
