"""A session as the fold of its journal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.errors import MalformedError
from streamrp2p.receipt import SessionRecord
from streamrp2p_node.book import Book, entries_of
from streamrp2p_node.credit import Credit
from streamrp2p_node.entries import Account, Entry, Opened, Received, entry_of
from streamrp2p_node.frames import Frame
from streamrp2p_node.session import Session
from tests.node.fakes import make_record, make_ticket

TICKET, SIGNATURE = make_ticket(max_bytes=5000)
OPENED = Opened(TICKET, SIGNATURE)
RECORDS = [make_record(TICKET, SIGNATURE, number, number * 700) for number in range(12)]


def record(sequence: int) -> SessionRecord:
    return RECORDS[sequence]


def session(*, served: int = 0) -> Session:
    return Session.opened(OPENED).with_account(Credit(served))


def replay(entries: list[Entry]) -> Book:
    book = Book()
    for entry in entries:
        book.apply(entry_of(entry.frame()))
    return book


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("receipt"), st.integers(0, 11)),
        st.tuples(st.sampled_from(["serve", "return"]), st.integers(0, 3000)),
    ),
    max_size=12,
)


def lived(steps: list[tuple[str, int]]) -> Book:
    """Return the book of one session that was served and paid in this way."""
    book = Book()
    session = book.apply(OPENED)
    for kind, value in steps:
        assert session is not None
        if kind == "receipt":
            session = book.apply(Received(record(value)))
        else:
            credit = session.credit
            after = credit.served(value) if kind == "serve" else credit.returned(value)
            session = book.apply(Account(TICKET.session_id, after))
    return book


@pytest.mark.parametrize(
    "entry", [OPENED, Account(TICKET.session_id, Credit(2**64 - 1, 7)), Received(record(3))]
)
def test_entries_are_read_as_they_were_written(entry: Entry) -> None:
    assert entry_of(entry.frame()) == entry


@pytest.mark.parametrize(
    "frame", [Frame(9, b""), Frame(1, b"short"), Frame(2, b""), Frame(3, b"x")]
)
def test_entries_of_another_version_are_refused(frame: Frame) -> None:
    with pytest.raises(MalformedError):
        entry_of(frame)


def test_the_newest_receipt_is_due_until_it_is_acknowledged() -> None:
    paid = session(served=9000).with_receipt(record(2))
    assert paid.due() == record(2)
    assert paid.with_acknowledged(2).due() is None
    assert paid.with_acknowledged(2).with_receipt(record(4)).due() == record(4)


def test_an_older_receipt_that_arrives_late_changes_nothing() -> None:
    paid = session(served=9000).with_receipt(record(4))
    assert paid.with_receipt(record(2)).due() == record(4)


def test_a_receipt_of_weight_0_is_not_handed_in() -> None:
    assert session().with_receipt(record(0)).due() is None


def test_after_an_over_claim_is_rejected_the_last_honest_receipt_is_handed_in() -> None:
    cheated = session(served=1400).with_receipt(record(2)).with_receipt(record(3))
    assert cheated.due() == record(3)
    stopped = cheated.with_rejection(3, 9)
    assert stopped.is_stopped
    assert stopped.due() == record(2)
    assert stopped.with_acknowledged(2).due() is None
    assert stopped.with_rejection(2, 9).due() is None


def test_a_claim_beyond_the_ticket_is_not_plausible() -> None:
    assert not session(served=99_999).is_plausible(record(8))
    assert session(served=99_999).is_plausible(record(7))


def test_the_same_rejection_counts_once() -> None:
    once = session().with_rejection(3, 9)
    assert once.with_rejection(3, 9) == once


def test_entries_of_a_session_that_was_never_opened_are_noticed() -> None:
    assert Book().apply(Received(record(1))) is None


@given(STEPS)
def test_a_compacted_journal_replays_to_the_same_sessions(steps: list[tuple[str, int]]) -> None:
    book = lived(steps)
    again = replay(entries_of(book))
    before, after = book.get(TICKET.session_id), again.get(TICKET.session_id)
    assert before is not None
    assert after is not None
    assert (after.newest, after.credit) == (before.newest, before.credit)
    # What is plausible is judged by what was served; that may have grown since.
    if before.fallback is not None:
        assert after.fallback is not None
        assert after.fallback.receipt.sequence >= before.fallback.receipt.sequence


@given(st.permutations(RECORDS))
def test_the_receipt_that_counts_does_not_depend_on_the_order_of_arrival(
    records: list[SessionRecord],
) -> None:
    paid = session(served=9000)
    for received in records:
        paid = paid.with_receipt(received)
    assert paid.newest == record(11)
    assert paid.fallback == record(7)
