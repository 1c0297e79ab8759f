from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.errors import MalformedError
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, SessionId, Signature
from streamrp2p.records import NodeRow, PoolRow, SignedRejection
from tests.support.changed import changed

ROOT = Hash(b"\xaa" * 32)
NODE_ROW = NodeRow(Address(b"\1" * 20), ROOT, 3, 2**128 - 1, 5)
POOL_ROW = PoolRow(2**32 - 1, ROOT, 3, 4, 5, 6)
REJECTION = SignedRejection(SessionId(ROOT), 1, 100, 9, Signature(b"\3" * 65))
HEADER = EpochHeader(7, ROOT, ROOT, 1, 2**128 - 1, ROOT, 2, ROOT)
RECORDS = (NODE_ROW, POOL_ROW, REJECTION, HEADER)
Record = NodeRow | PoolRow | SignedRejection | EpochHeader


def test_records_are_the_plain_concatenation_of_their_fields() -> None:
    assert (
        NODE_ROW.encode().hex() == "01" * 20 + "aa" * 32 + "00000003" + "ff" * 16 + "0" * 31 + "5"
    )
    assert POOL_ROW.encode().hex() == (
        "ffffffff" + "aa" * 32 + "00000003" + "0" * 31 + "4" + "0" * 31 + "5" + "0" * 31 + "6"
    )
    assert REJECTION.encode().hex() == (
        "aa" * 32 + "00000001" + "0064" + "0" * 15 + "9" + "03" * 65
    )
    assert HEADER.encode().hex() == (
        "0" * 15 + "7" + "aa" * 64 + "00000001" + "ff" * 16 + "aa" * 32 + "00000002" + "aa" * 32
    )


@pytest.mark.parametrize(("record", "length"), zip(RECORDS, (88, 88, 111, 160), strict=True))
def test_each_record_has_its_length_and_survives_the_round_trip(
    record: Record, length: int
) -> None:
    assert len(record.encode()) == type(record).LENGTH == length
    assert type(record).decode(record.encode()) == record


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_bytes_of_another_length_are_malformed(record: Record) -> None:
    for wrong in (b"", record.encode()[:-1], record.encode() + b"\0"):
        with pytest.raises(MalformedError, match=type(record).__name__.removeprefix("Signed")):
            type(record).decode(wrong)


@pytest.mark.parametrize(
    ("record", "field"),
    [(record, field.name) for record in RECORDS for field in fields(record)],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_field_that_does_not_fit_is_malformed(record: Record, field: str) -> None:
    wrong = (-1, 2**129) if isinstance(getattr(record, field), int) else (b"", b"\0" * 66)
    for value in wrong:
        with pytest.raises(MalformedError):
            changed(record, **{field: value}).encode()


def test_digests_are_those_of_the_bytes() -> None:
    assert NODE_ROW.digest() == keccak(NODE_ROW.encode())
    assert POOL_ROW.digest() == keccak(POOL_ROW.encode())
    assert HEADER.hash() == keccak(HEADER.encode())


@given(
    st.lists(
        st.builds(
            SignedRejection,
            st.sampled_from([SessionId(ROOT), SessionId(Hash(bytes(32)))]),
            st.integers(0, 2**32 - 1),
            st.integers(0, 2**16 - 1),
            st.integers(0, 2**64 - 1),
            st.sampled_from([Signature(b"\3" * 65), Signature(b"\4" * 65)]),
        )
    )
)
def test_rejections_order_as_their_bytes_do(rejections: list[SignedRejection]) -> None:
    assert [one.encode() for one in sorted(rejections)] == sorted(
        one.encode() for one in rejections
    )
