from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.errors import MalformedError
from streamrp2p.keccak import keccak
from streamrp2p.receipt import RECORD_LENGTH, SessionRecord, batch_leaf, weight_of
from tests.support.changed import changed
from tests.support.epochs import signed_record

RECORD = signed_record(0, 1, 0, 0, (1000, 900), 7)


@pytest.mark.parametrize(
    ("delivered", "on_time", "weight"),
    [
        (0, 0, 0),
        (1, 0, 0),
        (2, 0, 1),
        (3, 1, 2),
        (10, 10, 10),
        (10, 7, 8),
        (2**64 - 1, 0, 2**63 - 1),
    ],
)
def test_late_bytes_earn_half_floored(delivered: int, on_time: int, weight: int) -> None:
    assert weight_of(delivered, on_time) == weight


@given(st.integers(0, 2**63), st.integers(0, 2**63), st.integers(0, 2**63), st.integers(0, 2**63))
def test_one_session_never_weighs_less_than_two_of_the_same_bytes(
    late: int, on_time: int, more_late: int, more_on_time: int
) -> None:
    apart = weight_of(late + on_time, on_time) + weight_of(more_late + more_on_time, more_on_time)
    together = weight_of(late + on_time + more_late + more_on_time, on_time + more_on_time)
    assert together - 1 <= apart <= together


def test_a_record_has_274_bytes_and_survives_the_round_trip() -> None:
    encoded = RECORD.encode()
    assert len(encoded) == RECORD_LENGTH == 274
    assert SessionRecord.decode(encoded) == RECORD
    assert SessionRecord.decode(encoded).encode() == encoded
    assert SessionRecord.decode(encoded).session_id == RECORD.ticket.session_id


@given(st.binary(min_size=274, max_size=274))
def test_all_274_bytes_decode_and_encode_to_themselves(data: bytes) -> None:
    record = SessionRecord.decode(data)
    assert record.encode() == data
    # A copy with equal fields keeps nothing of the bytes it came from.
    assert replace(record).encode() == data
    assert record.receipt.session_id == record.session_id == record.ticket.session_id


@pytest.mark.parametrize("length", [0, 1, 273, 275, 548])
def test_other_lengths_are_malformed(length: int) -> None:
    with pytest.raises(MalformedError, match="274 bytes"):
        SessionRecord.decode(bytes(length))


def test_a_changed_copy_encodes_its_own_fields() -> None:
    decoded = SessionRecord.decode(RECORD.encode())
    changed = replace(decoded, ticket=replace(decoded.ticket, nonce=8))
    assert changed.encode() != decoded.encode()
    assert changed.session_id != decoded.session_id


@pytest.mark.parametrize(
    "broken",
    [
        replace(RECORD, receipt=replace(RECORD.receipt, sequence=2**32)),
        replace(RECORD, ticket=replace(RECORD.ticket, epoch=-1)),
        changed(RECORD, ticket_signature=RECORD.ticket_signature[:64]),
    ],
)
def test_fields_that_do_not_fit_are_malformed(broken: SessionRecord) -> None:
    with pytest.raises(MalformedError):
        broken.encode()


def test_a_batch_leaf_is_hashed_twice() -> None:
    assert batch_leaf(b"record") == keccak(keccak(b"record"))
