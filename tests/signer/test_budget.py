"""Which tickets may be signed, and what they take of the budgets."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.typed_data import SessionTicket
from streamrp2p_signer.budget import Limits, Used, admit, check_age, worth
from streamrp2p_signer.refusals import Reason, RefusedError
from tests.signer.world import EPOCHS, LIMITS, NOW, ticket

UNUSED = Used()


def judged(
    asked: SessionTicket, used: Used = UNUSED, limits: Limits = LIMITS, now: int = NOW
) -> Used | tuple[Reason, int | None]:
    try:
        return admit(asked, limits, used, EPOCHS, now)
    except RefusedError as error:
        return error.reason, error.retry_after_seconds


def test_a_ticket_is_worth_all_that_it_may_deliver_rounded_up() -> None:
    assert worth(10**9, 7) == 7
    assert worth(1, 7) == 1
    assert worth(0, 7) == 0
    assert worth(3 * 10**8, 10) == 3
    assert worth(3 * 10**8 + 1, 10) == 4


def test_a_ticket_within_all_limits_is_counted() -> None:
    assert judged(ticket(), Used(1, 2, 3)) == Used(1_001, 1_002, 4)


@pytest.mark.parametrize(
    ("used", "refused"),
    [
        (Used(4_000, 4_000, 0), None),
        (Used(4_001, 4_001, 0), (Reason.OVER_EPOCH_BUDGET, 3_500)),
        (Used(0, 7_000, 0), None),
        (Used(0, 7_001, 0), (Reason.OVER_DAY_BUDGET, 68_300)),
        (Used(0, 0, 99), None),
        (Used(0, 0, 100), (Reason.TOO_MANY_SESSIONS, 1)),
    ],
)
def test_a_budget_can_be_used_up_and_not_by_a_unit_more(
    used: Used, refused: tuple[Reason, int] | None
) -> None:
    found = judged(ticket(), used)
    assert found == refused if refused else isinstance(found, Used)


def test_a_ticket_of_too_many_bytes_is_refused_although_the_budget_has_room() -> None:
    assert judged(ticket(max_bytes=1_001)) == (Reason.TICKET_TOO_LARGE, None)


@pytest.mark.parametrize(
    "wrong",
    [
        ticket(epoch=4),
        ticket(epoch=6),
        ticket(epoch=(1 << 64) - 1),
        ticket(expires_at=EPOCHS.end(5) + 1),
        ticket(expires_at=NOW),
        ticket(issued_at=NOW + 301),
    ],
)
def test_a_ticket_that_is_not_of_the_current_epoch_alone_is_refused(wrong: SessionTicket) -> None:
    assert judged(wrong) == (Reason.WRONG_EPOCH, None)


def test_a_ticket_may_last_to_the_very_end_of_its_epoch() -> None:
    assert judged(ticket(expires_at=EPOCHS.end(5))) == Used(1_000, 1_000, 1)
    last = ticket(issued_at=EPOCHS.end(5) - 1, expires_at=EPOCHS.end(5))
    assert judged(last, now=EPOCHS.end(5) - 1) == Used(1_000, 1_000, 1)
    assert judged(last, now=EPOCHS.end(5)) == (Reason.WRONG_EPOCH, None)


@pytest.mark.parametrize("off_seconds", [-61, 61])
def test_a_request_counts_for_a_minute_on_either_side(off_seconds: int) -> None:
    for fine in (-60, 0, 60):
        check_age(NOW + fine, NOW)
    with pytest.raises(RefusedError) as refused:
        check_age(NOW + off_seconds, NOW)
    assert refused.value.reason is Reason.REQUEST_STALE


@given(
    sizes=st.lists(st.integers(0, 1_500), max_size=40),
    price=st.integers(0, 10**10),
    budgets=st.tuples(st.integers(0, 10**5), st.integers(0, 10**5)),
)
def test_whatever_is_asked_for_no_budget_is_exceeded(
    sizes: list[int], price: int, budgets: tuple[int, int]
) -> None:
    limits = replace(LIMITS, price_per_gb=price, epoch_budget=budgets[0], day_budget=budgets[1])
    used, signed_bytes = UNUSED, 0
    for nonce, size in enumerate(sizes):
        found = judged(ticket(nonce, max_bytes=size), used, limits)
        if isinstance(found, Used):
            used, signed_bytes = found, signed_bytes + size
    # All the tickets together, floored once as the settlement does.
    assert signed_bytes * price // 10**9 <= used.epoch_worth <= min(budgets)
