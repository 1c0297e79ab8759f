"""Exactly one process leads. It is succeeded when it ends, hangs or is cut off, and writes nothing any more."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import text

from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.errors import NotLeaderError, StorageError
from streamrp2p_coordinator.leadership import LEADER_LOCK, Leadership
from streamrp2p_coordinator.locks import FileLock
from tests.coordinator.process import (
    Coordinator,
    coordinator_over,
    let_time_pass,
    living_chain,
    wait_for,
)
from tests.support.ports import find_free_port

HAND_OVER_SECONDS = 10


@pytest.fixture
def pair(database_url: str) -> Iterator[tuple[Database, Database]]:
    """Open one database as two processes would."""
    with closing(open_database(database_url)) as one, closing(open_database(database_url)) as two:
        yield one, two


def test_one_leads_and_hands_over_when_it_ends(pair: tuple[Database, Database]) -> None:
    first, second = (Leadership(database, lambda: 7) for database in pair)

    assert (first.take(), second.take()) == (1, None)
    assert (first.take(), second.take()) == (1, None)
    assert pair[1].is_held(LEADER_LOCK)
    pair[0].close()
    assert not pair[1].is_held(LEADER_LOCK)
    assert second.take() == 2
    with pair[1].read() as store:
        newest = store.leader.newest()
    assert newest is not None
    assert (newest.number, newest.name, newest.since) == (2, second.name, 7)


def test_an_ended_term_writes_nothing(pair: tuple[Database, Database]) -> None:
    first, second = (Leadership(database, lambda: 7) for database in pair)
    term = first.take()
    assert term is not None
    fenced = pair[0].in_term(term)
    with fenced.write() as store:
        store.epochs.close_intake(1)

    first.resign()
    assert second.take() == 2

    with pytest.raises(NotLeaderError), fenced.write() as store:
        store.epochs.close_intake(2)
    with pair[1].read() as store:
        assert [store.epochs.find(epoch) is not None for epoch in (1, 2)] == [True, False]


def test_a_lock_file_that_was_removed_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = FileLock.take(path)
    assert lock is not None
    assert lock.confirm()
    path.unlink()
    other = FileLock.take(path)
    assert other is not None
    assert (lock.confirm(), other.confirm()) == (False, True)
    lock.release()
    other.release()


@pytest.fixture
def postgres_pair(postgres_database_url: str) -> Iterator[tuple[Database, Database]]:
    """Open one PostgreSQL database as two processes would."""
    with (
        closing(open_database(postgres_database_url)) as one,
        closing(open_database(postgres_database_url)) as two,
    ):
        yield one, two


@pytest.mark.integration
def test_postgres_takes_the_lead_from_one_that_hangs_even_inside_a_write(
    postgres_pair: tuple[Database, Database],
) -> None:
    """Silence is all that the server sees, whether the process hangs or the network is cut."""
    first, second = (Leadership(database, lambda: 7) for database in postgres_pair)
    term = first.take()
    assert term is not None
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(StorageError))
        store = stack.enter_context(postgres_pair[0].in_term(term).write())
        store.epochs.close_intake(1)
        begun = time.monotonic()
        assert wait_for("another leader", second.take) == term + 1
        assert time.monotonic() - begun < HAND_OVER_SECONDS
        assert first.term is None
    with postgres_pair[1].read() as store:
        assert store.epochs.find(1) is None
    assert first.take() is None


@pytest.mark.integration
def test_a_lock_that_was_taken_back_is_released_without_a_word(
    postgres_pair: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamrp2p_coordinator.locks.SILENT_SECONDS", 0.1)
    lock = postgres_pair[0].hold("leader")
    assert lock is not None
    wait_for("its end", lambda: postgres_pair[1].is_held("leader") is False or None)
    lock.release()
    lock.release()


@pytest.mark.integration
def test_a_leader_whose_connection_was_cut_notices(
    postgres_pair: tuple[Database, Database],
) -> None:
    first, second = (Leadership(database, lambda: 7) for database in postgres_pair)
    first.take()
    with postgres_pair[1].engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert wait_for("another leader", second.take) == 2
    first.confirm()
    assert first.term is None


@pytest.mark.integration
def test_a_killed_leader_is_succeeded_within_ten_seconds(database_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        chain = stack.enter_context(living_chain(tmp_path))
        first = stack.enter_context(
            coordinator_over(chain, tmp_path, database_url, find_free_port())
        )
        let_time_pass(chain)
        first.start()
        port = find_free_port()
        second = Coordinator(tmp_path, {**first.settings, "port": port}, port, name="second")
        second.write()
        stack.enter_context(second.running())
        database = stack.enter_context(closing(open_database(database_url)))

        def leader_is(coordinator: Coordinator) -> bool:
            assert coordinator.process is not None
            with database.read() as store:
                newest = store.leader.newest()
            return newest is not None and newest.name.endswith(f":{coordinator.process.pid}")

        assert leader_is(first)
        committed = chain.epoch_book.next_epoch()
        first.kill()
        begun = time.monotonic()
        wait_for("the other leader", lambda: leader_is(second) or None)
        assert time.monotonic() - begun < HAND_OVER_SECONDS
        wait_for("a commit", lambda: chain.epoch_book.next_epoch() > committed or None)
