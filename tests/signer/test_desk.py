"""The desk with its log: what is signed is logged first, once, and within the budgets."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from streamrp2p.signatures import address_of, check_signer
from streamrp2p.typed_data import Domain
from streamrp2p_signer.budget import Used
from streamrp2p_signer.desk import Desk
from streamrp2p_signer.refusals import Reason, SignerSetupError
from streamrp2p_signer.ticket_log import KEEP_SECONDS, TicketLog, account
from tests.signer.world import (
    DOMAIN,
    EPOCHS,
    LIMITS,
    NOW,
    STRANGER_KEY,
    TICKET_KEY,
    Told,
    ask,
    make_desk,
    refusal,
    ticket,
)


@pytest.fixture
def clock() -> Told:
    return Told()


@pytest.fixture
def desk(tmp_path: Path, clock: Told) -> Iterator[Desk]:
    desk = make_desk(tmp_path, clock)
    with closing(desk.log):
        yield desk


def used(folder: Path, now: int = NOW) -> Used:
    return account(folder / "tickets.db", [1], EPOCHS, now, 0).used[1]


def test_a_ticket_is_signed_and_logged(desk: Desk, tmp_path: Path) -> None:
    asked = ticket()
    signed = desk.sign(ask(asked))
    check_signer(asked.digest(DOMAIN), signed.signature, address_of(TICKET_KEY), "the signer")
    shown = account(tmp_path / "tickets.db", [1, 2], EPOCHS, NOW, 10)
    assert shown.used == {1: Used(1_000, 1_000, 1), 2: Used()}
    (logged,) = shown.newest
    assert (logged.session_id, logged.admitted_at) == (asked.session_id, NOW)
    assert (tmp_path / "tickets.db").stat().st_mode & 0o777 == 0o600


def test_asked_again_it_gives_the_same_signature_and_takes_nothing(
    desk: Desk, clock: Told, tmp_path: Path
) -> None:
    first = desk.sign(ask(ticket()))
    clock.now += 400
    again = desk.sign(ask(ticket(), asked_at=clock.now))
    assert again == first
    assert used(tmp_path) == Used(1_000, 1_000, 1)


def test_a_budget_that_is_used_up_still_answers_for_what_was_signed(desk: Desk) -> None:
    first = desk.sign(ask(ticket()))
    for nonce in range(1, 5):
        desk.sign(ask(ticket(nonce)))
    assert refusal(desk, ask(ticket(5))) is Reason.OVER_EPOCH_BUDGET
    assert desk.sign(ask(ticket())) == first


def test_many_that_ask_at_once_get_no_more_than_the_budget(desk: Desk, tmp_path: Path) -> None:
    asks = [ask(ticket(number % 10)) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda one: refusal(desk, one), asks))
    assert used(tmp_path) == Used(5_000, 5_000, 5)
    assert found.count(None) == 20
    assert found.count(Reason.OVER_EPOCH_BUDGET) == 20


def test_the_next_epoch_has_its_own_budget_and_the_day_goes_on(
    desk: Desk, clock: Told, tmp_path: Path
) -> None:
    for nonce in range(5):
        desk.sign(ask(ticket(nonce)))
    clock.now = EPOCHS.start(6)
    later = [
        ticket(nonce, epoch=6, issued_at=clock.now, expires_at=clock.now + 300)
        for nonce in range(4)
    ]
    found = [refusal(desk, ask(one, clock.now)) for one in later]
    assert found == [None, None, None, Reason.OVER_DAY_BUDGET]
    assert used(tmp_path, clock.now) == Used(3_000, 8_000, 3)
    clock.now = EPOCHS.start(24)
    tomorrow = ticket(0, epoch=24, issued_at=clock.now, expires_at=clock.now + 300)
    assert refusal(desk, ask(tomorrow, clock.now)) is None
    assert used(tmp_path, clock.now) == Used(1_000, 1_000, 1)


def test_an_open_session_is_one_that_has_not_expired(tmp_path: Path, clock: Told) -> None:
    desk = make_desk(tmp_path, clock, replace(LIMITS, max_open_sessions=1))
    with closing(desk.log):
        assert refusal(desk, ask(ticket(0, expires_at=NOW + 10))) is None
        assert refusal(desk, ask(ticket(1))) is Reason.TOO_MANY_SESSIONS
        clock.now += 10
        assert refusal(desk, ask(ticket(1))) is None


def test_strangers_other_chains_and_other_pools_get_nothing(desk: Desk, tmp_path: Path) -> None:
    other_chain = Domain(1, DOMAIN.epoch_book)
    other_book = Domain(DOMAIN.chain_id, address_of(STRANGER_KEY))
    tampered = ask(ticket()).model_copy(update={"ticket": ask(ticket(1)).ticket})
    cases = {
        Reason.UNKNOWN_ASKER: ask(ticket(), key=STRANGER_KEY),
        Reason.POOL_NOT_SERVED: ask(ticket(pool_id=2)),
        Reason.REQUEST_STALE: ask(ticket(), NOW - 61),
    }
    for reason, request in cases.items():
        assert refusal(desk, request) is reason
    for domain in (other_chain, other_book):
        assert refusal(desk, ask(ticket(), domain=domain)) is Reason.OTHER_CHAIN
    assert refusal(desk, tampered) is Reason.UNKNOWN_ASKER
    assert account(tmp_path / "tickets.db", [1], EPOCHS, NOW, 10).newest == []


def test_a_clock_that_is_set_back_opens_no_budget_again(desk: Desk, clock: Told) -> None:
    clock.now = EPOCHS.start(6)
    late = [
        ticket(nonce, epoch=6, issued_at=clock.now, expires_at=clock.now + 9) for nonce in range(6)
    ]
    for one in late[:5]:
        desk.sign(ask(one, clock.now))
    clock.now = NOW
    # By the clock it is epoch 5 again, by the log it is not.
    assert refusal(desk, ask(ticket(9, issued_at=NOW), EPOCHS.start(6))) is Reason.WRONG_EPOCH
    assert refusal(desk, ask(late[5], EPOCHS.start(6))) is Reason.OVER_EPOCH_BUDGET


def test_a_clock_that_jumps_ahead_only_refuses_until_it_is_right_again(
    desk: Desk, clock: Told
) -> None:
    clock.now = NOW + 86_400
    assert refusal(desk, ask(ticket(), NOW)) is Reason.REQUEST_STALE
    clock.now = NOW
    assert refusal(desk, ask(ticket(), NOW)) is None


def test_a_full_disk_signs_nothing_and_takes_nothing(tmp_path: Path, clock: Told) -> None:
    desk = make_desk(tmp_path, clock, replace(LIMITS, epoch_budget=10**9, day_budget=10**9))
    with closing(desk.log):
        first = desk.sign(ask(ticket()))
        # SQLite fails as it does when the disk has no page left.
        (pages,) = desk.log._connection.execute("PRAGMA page_count").fetchone()
        desk.log._connection.execute(f"PRAGMA max_page_count={pages}")
        signed = 1
        while (reason := refusal(desk, ask(ticket(signed)))) is None:
            signed += 1
        assert reason is Reason.STORAGE_FAILED
        assert used(tmp_path) == Used(signed * 1_000, signed * 1_000, signed)
        assert desk.sign(ask(ticket())) == first
        desk.log._connection.execute("PRAGMA max_page_count=1000000")
        assert refusal(desk, ask(ticket(signed))) is None
        assert used(tmp_path).open_sessions == signed + 1


def test_what_was_signed_still_counts_for_the_next_process(tmp_path: Path, clock: Told) -> None:
    for nonce in range(5):
        desk = make_desk(tmp_path, clock)
        with closing(desk.log):
            desk.sign(ask(ticket(nonce)))
    desk = make_desk(tmp_path, clock)
    with closing(desk.log):
        assert refusal(desk, ask(ticket(5))) is Reason.OVER_EPOCH_BUDGET


def test_old_tickets_go_and_those_of_the_current_epoch_stay(tmp_path: Path, clock: Told) -> None:
    desk = make_desk(tmp_path, clock)
    with closing(desk.log):
        for nonce in range(5):
            desk.sign(ask(ticket(nonce)))
        clock.now = NOW + 300 + KEEP_SECONDS + 1
        epoch = EPOCHS.at(clock.now)
        later = ticket(0, epoch=epoch, issued_at=clock.now, expires_at=clock.now + 9)
        desk.sign(ask(later, clock.now))
        assert len(account(tmp_path / "tickets.db", [1], EPOCHS, clock.now, 10).newest) == 2
        desk.sign(ask(replace(later, nonce=1), clock.now))
        found = account(tmp_path / "tickets.db", [1], EPOCHS, clock.now, 10)
    assert [one.epoch for one in found.newest] == [epoch, epoch]
    assert found.used[1] == Used(2_000, 2_000, 2)


def test_a_log_that_is_none_or_of_a_newer_version_is_not_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "tickets.db"
    path.write_text("this is no database, but something somebody may want back")
    with pytest.raises(SignerSetupError, match="restore it from a backup"):
        TicketLog(path)
    path.unlink()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version=2")
    with pytest.raises(SignerSetupError, match="newer version"):
        TicketLog(path)


def test_the_key_is_in_no_text_of_the_desk(desk: Desk) -> None:
    assert TICKET_KEY.hex() not in repr(desk)
    assert repr(TICKET_KEY) not in repr(desk)
