"""Receipts of one session, when its ticket is renewed, and the coordinator's time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.epoch_clock import EpochClock
from streamrp2p.errors import MalformedError
from streamrp2p.numbers import Address, Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, SessionTicket
from streamrp2p.verify import leaf_fault
from streamrp2p.viewer.session import CoordinatorTime, ReceiptSession, renew_at

DOMAIN = Domain(31337, Address(bytes([0xEB]) * 20))
VIEWER_KEY, SIGNER_KEY = bytes([3]) * 32, bytes([2]) * 32
CLOCK = EpochClock(genesis=1000, epoch_seconds=100, intake_grace_seconds=10)


def ticket(max_bytes: int = 1000, issued_at: int = 1010, expires_at: int = 1100) -> SessionTicket:
    node, viewer = Address(bytes(20)), address_of(VIEWER_KEY)
    return SessionTicket(7, 0, node, viewer, max_bytes, issued_at, expires_at, 5)


def session(max_bytes: int = 1000) -> ReceiptSession:
    return ReceiptSession(ticket(max_bytes), DOMAIN, VIEWER_KEY)


def test_receipt_is_cumulative_and_late_bytes_count_as_delivered_only() -> None:
    mine = session()
    mine.count(300, 41, is_on_time=True)
    mine.count(200, 42, is_on_time=False)
    receipt, _ = mine.sign(1020)
    assert (receipt.bytes_delivered, receipt.bytes_on_time) == (500, 300)
    assert (receipt.sequence, receipt.media_sequence, receipt.signed_at) == (1, 42, 1020)
    record = SessionRecord(mine.ticket, Signature(bytes(65)), receipt, Signature(bytes(65)))
    assert record.weight == 400


def test_sequence_rises_with_each_receipt_and_time_never_falls() -> None:
    mine = session()
    receipts = [mine.sign(now)[0] for now in (1020, 1015, 1030)]
    assert [each.sequence for each in receipts] == [1, 2, 3]
    assert [each.signed_at for each in receipts] == [1020, 1020, 1030]


def test_signed_receipt_passes_the_checks_that_anyone_makes() -> None:
    mine = session()
    mine.count(999, 41, is_on_time=True)
    receipt, signature = mine.sign(1020)
    ticket_signature = sign(mine.ticket.digest(DOMAIN), SIGNER_KEY)
    record = SessionRecord(mine.ticket, ticket_signature, receipt, signature)
    assert leaf_fault(record, DOMAIN, 0, address_of(SIGNER_KEY)) is None


def test_bytes_beyond_the_credit_are_refused_and_not_counted() -> None:
    mine = session(max_bytes=500)
    mine.count(500, 1, is_on_time=True)
    assert mine.has_room(0)
    assert not mine.has_room(1)
    with pytest.raises(MalformedError, match="renew"):
        mine.count(1, 2, is_on_time=True)
    assert mine.bytes_delivered == 500


@given(st.lists(st.tuples(st.integers(1, 400), st.booleans()), max_size=30))
def test_receipts_of_any_deliveries_rise_and_stay_within_the_credit(
    deliveries: list[tuple[int, bool]],
) -> None:
    mine, before = session(), (0, 0)
    for number, (length, is_on_time) in enumerate(deliveries):
        if not mine.has_room(length):
            break
        mine.count(length, number, is_on_time=is_on_time)
        receipt, _ = mine.sign(1020)
        assert before[0] < receipt.bytes_delivered <= 1000
        assert before[1] <= receipt.bytes_on_time <= receipt.bytes_delivered
        before = receipt.bytes_delivered, receipt.bytes_on_time


def test_ticket_to_the_end_of_its_epoch_is_renewed_then_and_not_before() -> None:
    assert renew_at(ticket(expires_at=1100), CLOCK, 10) == 1100
    assert renew_at(ticket(expires_at=1500), CLOCK, 10) == 1100


def test_shorter_ticket_is_renewed_a_margin_before_its_end_or_at_half_its_life() -> None:
    assert renew_at(ticket(issued_at=1010, expires_at=1090), CLOCK, 10) == 1080
    assert renew_at(ticket(issued_at=1010, expires_at=1018), CLOCK, 10) == 1014


def test_coordinators_time_runs_on_with_the_monotonic_clock() -> None:
    time = CoordinatorTime(1_700_000_000, 50.0)
    assert time.at(50.0) == 1_700_000_000
    assert time.at(63.9) == 1_700_000_013


def test_coordinators_time_takes_the_tightest_of_its_observations() -> None:
    time = CoordinatorTime(1000, 0.9)  # It was 1000.9 at most, and at least 1000.
    time.observe(1010, 10.0)  # Exactly: nine tenths more is known now.
    assert time.at(10.5) == 1010
    time.observe(1020, 20.9)  # Says less than is known, so it changes nothing.
    assert time.at(20.95) == 1020
    assert time.at(21.0) == 1021


def test_coordinators_clock_that_is_set_anew_is_followed() -> None:
    time = CoordinatorTime(1000, 0.0)
    time.observe(500, 10.0)
    assert time.at(11.0) == 501
