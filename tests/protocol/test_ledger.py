from dataclasses import replace
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.ledger import Merged, merge
from streamrp2p.receipt import SessionRecord
from streamrp2p.verify import Checked, Code, Rejected
from tests.support.epochs import signed_record

BASE = signed_record(0, 1, 0, 0, (0, 0), 0)


def told(sequence: int, delivered: int, on_time: int, signed_at: int = 5) -> Checked:
    """Return a checked record; the ledger looks at no signature."""
    receipt = replace(
        BASE.receipt,
        sequence=sequence,
        bytes_delivered=delivered,
        bytes_on_time=on_time,
        signed_at=signed_at,
    )
    return Checked(
        SessionRecord(BASE.ticket, BASE.ticket_signature, receipt, BASE.receipt_signature)
    )


def kept(known: Checked | None, new: Checked) -> Checked | None:
    merged = merge(known, new)
    return merged.kept if isinstance(merged, Merged) else known


def test_the_first_record_stands() -> None:
    assert merge(None, told(4, 10, 10)) == Merged(told(4, 10, 10))


def test_a_higher_sequence_replaces() -> None:
    assert merge(told(1, 10, 10), told(2, 10, 10)) == Merged(told(2, 10, 10))


def test_a_lower_sequence_changes_nothing_even_if_it_tells_more() -> None:
    assert merge(told(2, 10, 10), told(1, 99, 99)) == Merged(told(2, 10, 10))


def test_the_same_record_changes_nothing_and_is_no_evidence() -> None:
    assert merge(told(2, 10, 10), told(2, 10, 10)) == Merged(told(2, 10, 10))


@pytest.mark.parametrize("new", [told(3, 9, 9), told(3, 20, 9), told(3, 9, 10)])
def test_a_higher_sequence_with_fewer_bytes_is_refused(new: Checked) -> None:
    verdict = merge(told(2, 10, 10), new)
    assert verdict == Rejected(BASE.session_id, 3, Code.NOT_MONOTONE)


def test_two_tellings_of_a_sequence_keep_the_lower_weight_and_both_as_evidence() -> None:
    low, high = told(2, 10, 4), told(2, 10, 8)
    assert merge(low, high) == Merged(low, high)
    assert merge(high, low) == Merged(low, high)


def test_equal_weights_keep_the_lower_bytes() -> None:
    early, late = told(2, 10, 10, signed_at=5), told(2, 10, 10, signed_at=6)
    assert merge(late, early) == merge(early, late) == Merged(early, late)


def test_weight_0_stands_only_alone() -> None:
    nothing, something = told(2, 1, 0), told(2, 10, 4)
    assert merge(nothing, something) == Merged(something, nothing)
    assert merge(something, nothing) == Merged(something, nothing)
    assert merge(nothing, told(1, 99, 99)) == Merged(told(1, 99, 99))
    assert merge(nothing, told(1, 1, 0)) == Merged(nothing)


tellings = st.builds(
    told, st.integers(1, 4), st.integers(4, 8), st.integers(0, 4), st.integers(0, 2)
)


@given(
    st.lists(tellings, min_size=1, max_size=6).flatmap(
        lambda one: st.tuples(st.just(one), st.permutations(one))
    )
)
def test_the_order_of_arrival_of_one_sequence_does_not_matter(
    orders: tuple[list[Checked], list[Checked]],
) -> None:
    one, other = ([told(1, *told_as(checked)) for checked in order] for order in orders)
    assert reduce(kept, one, None) == reduce(kept, other, None)


def told_as(checked: Checked) -> tuple[int, int, int]:
    receipt = checked.record.receipt
    return receipt.bytes_delivered, receipt.bytes_on_time, receipt.signed_at


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=4))
def test_an_honest_viewers_receipts_settle_alike_in_any_order(
    growth: list[tuple[int, int]],
) -> None:
    """An honest viewer tells one thing per sequence, and never less than before."""
    honest, delivered, on_time = [], 0, 0
    for sequence, (more, more_on_time) in enumerate(growth):
        on_time += more_on_time
        delivered += more_on_time + more
        honest.append(told(sequence, delivered, on_time))
    for order in permutations([*honest, honest[0]]):
        assert reduce(kept, order, None) == honest[-1]


@given(st.lists(tellings, min_size=1, max_size=8))
def test_what_was_accepted_is_never_replaced_by_a_lower_sequence(arrived: list[Checked]) -> None:
    known: Checked | None = None
    for new in arrived:
        before, known = known, kept(known, new)
        assert known is not None
        if before is not None:
            assert known.record.receipt.sequence >= before.record.receipt.sequence


@given(
    st.lists(
        st.builds(
            lambda sequence, on_time, late: told(sequence, on_time + late, on_time),
            st.integers(1, 3),
            st.integers(0, 3),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_was_accepted_is_in_the_epoch_with_its_sequence_or_a_higher_one(
    arrived: list[Checked],
) -> None:
    """What makes every omission provable and no honest epoch one."""
    known: Checked | None = None
    accepted = []
    for new in arrived:
        merged = merge(known, new)
        if isinstance(merged, Merged):
            known = merged.kept
            accepted.append(new)
    for record in accepted:
        if record.weight:
            assert known is not None
            assert known.weight > 0
            assert known.record.receipt.sequence >= record.record.receipt.sequence
