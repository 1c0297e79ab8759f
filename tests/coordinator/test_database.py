"""What both databases must hold: exact numbers, serialised writers, durable commits, the shipped schema."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, event, select, text
from sqlalchemy.dialects import sqlite

from streamrp2p import api
from streamrp2p.receipt import SessionRecord
from streamrp2p_coordinator.column_types import UINT256_DIGITS, Unsigned
from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.errors import ConfigurationError, StorageError
from streamrp2p_coordinator.migrate import migrate, newest_revision
from streamrp2p_coordinator.use_cases.accept_batch import accept_batch
from streamrp2p_coordinator.use_cases.settle_epoch import settle_epoch
from tests.coordinator.memory_chain import MemoryChain
from tests.coordinator.world import EPOCH_SECONDS, GENESIS, GRACE_SECONDS, World, make_world


def accept(world: World, batch: api.Batch) -> bytes:
    services = world.services
    return accept_batch(
        batch,
        database=services.database,
        network=services.network,
        policy=services.policy,
        poster=services.poster,
        clock=services.clock,
        refresh=services.refresh,
    )


def test_base_units_keep_every_digit_and_their_order(fresh_database: Database) -> None:
    numbers = Table(
        "numbers",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("value", Unsigned(UINT256_DIGITS)),
    )
    values = [10**27 + 1, 0, 2**256 - 1, 2**63, 9, 10]
    with fresh_database.engine.begin() as connection:
        numbers.create(connection)
        rows = [{"id": number, "value": value} for number, value in enumerate(values)]
        connection.execute(numbers.insert(), rows)
        found = connection.execute(select(numbers.c.value).order_by(numbers.c.value)).scalars()
        assert list(found) == sorted(values)


@pytest.mark.parametrize("value", [-1, 10**78])
def test_numbers_that_do_not_fit_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="is not an unsigned number of 78 digits"):
        Unsigned().process_bind_param(value, sqlite.dialect())


def test_migrating_twice_or_at_once_makes_one_schema(empty_database_url: str) -> None:
    databases = [open_database(empty_database_url) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(migrate, databases)) == [newest_revision()] * 3
    for database in databases:
        database.close()


def test_a_database_of_a_newer_version_is_not_touched(fresh_database: Database) -> None:
    with fresh_database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="newer version"):
        migrate(fresh_database)


@pytest.mark.parametrize(
    "url",
    ["", "coordinator.db", "sqlite://", "mysql://root:secret@localhost/x", "sqlite:///:memory:"],
)
def test_unusable_database_urls_are_named_without_their_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="database_url") as failure:
        open_database(url)
    assert "secret" not in str(failure.value)


def test_two_workers_with_the_same_batch_give_one_answer(world: World) -> None:
    node = world.node()
    record = world.viewer(node.address).record(1, 1000)
    batch = node.batch(1, [record])
    barrier = threading.Barrier(4)

    def work(_: int) -> bytes:
        barrier.wait()
        return accept(world, batch)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(work, range(4)))

    assert len(set(answers)) == 1
    with world.database.read() as store:
        assert len(store.ledger.sessions(1)) == 1


def test_workers_that_race_on_one_session_lose_no_record(world: World) -> None:
    node = world.node()
    viewer = world.viewer(node.address)
    records = [viewer.record(sequence, 1000 * sequence) for sequence in range(1, 17)]
    batches = [node.batch(1, [record]) for record in records]
    barrier = threading.Barrier(8)

    def work(batch: api.Batch) -> int:
        barrier.wait()
        return api.BatchAnswer.model_validate_json(accept(world, batch)).ack.accepted

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, batches)) == [1] * 16

    with world.database.read() as store:
        (kept,) = store.ledger.sessions(1)
    assert kept.record == records[-1]


def test_what_is_acknowledged_while_settlement_begins_is_settled(world: World) -> None:
    """Batches race with the settlement: each record is either acknowledged and settled, or refused."""
    node = world.node()
    batches = [
        node.batch(1, [world.viewer(node.address, nonce=nonce).record(1, 1000)])
        for nonce in range(24)
    ]
    services = world.services
    settle_epoch(
        database=services.database,
        chain=_ahead(world),
        network=services.network,
        bundles=services.bundles,
        poster=services.poster.address,
        clock=lambda: _intake_end(0),
    )
    barrier = threading.Barrier(9)
    acknowledged: list[bytes] = []

    def work(mine: list[api.Batch]) -> None:
        barrier.wait()
        for batch in mine:
            answer = api.BatchAnswer.model_validate_json(accept(world, batch))
            if answer.ack.accepted:
                acknowledged.append(batch.records)

    threads = [threading.Thread(target=work, args=(batches[at::8],)) for at in range(8)]
    for thread in threads:
        thread.start()
    barrier.wait()
    header = settle_epoch(
        database=services.database,
        chain=_ahead(world),
        network=services.network,
        bundles=services.bundles,
        poster=services.poster.address,
        clock=lambda: _intake_end(1),  # another machine, whose clock runs ahead
    )
    for thread in threads:
        thread.join()

    assert header is not None
    settled = services.bundles.read(header.data_hash).session_records
    assert sorted(acknowledged) == sorted(settled)
    assert all(SessionRecord.decode(record).ticket.epoch == 1 for record in settled)


def _intake_end(epoch: int) -> int:
    return GENESIS + (epoch + 1) * EPOCH_SECONDS + GRACE_SECONDS


def _ahead(world: World) -> MemoryChain:
    world.chain.now = _intake_end(1)
    return world.chain


def test_a_full_disk_acknowledges_nothing_and_goes_on_once_there_is_room(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'coordinator.db'}")
    migrate(database)
    world = make_world(database, tmp_path)
    node = world.node()
    pages = _pragma(database, "page_count")
    limit = {"pages": pages}
    event.listen(
        database.engine,
        "checkout",
        lambda connection, *_: connection.execute(f"PRAGMA max_page_count={limit['pages']}"),
    )
    records = [world.viewer(node.address, nonce=nonce).record(1, 10) for nonce in range(50)]
    batch = node.batch(1, records)

    full = world.request("POST", "/v1/batches", batch)
    with database.read() as store:
        assert store.ledger.sessions(1) == []
    limit["pages"] = 1_000_000

    assert full.status_code == 503
    assert "disk is full" in full.json()["detail"]
    assert full.headers["Retry-After"] == "1"
    assert world.submit(batch).ack.accepted == 50
    database.close()


def _pragma(database: Database, name: str) -> int:
    with database.engine.connect() as connection:
        return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())


def test_sqlite_commits_are_on_the_disk_when_they_return(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'coordinator.db'}")
    migrate(database)
    assert _pragma(database, "synchronous") == 2  # FULL
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    database.close()


@pytest.mark.integration
def test_an_unreachable_postgres_is_told_without_its_password() -> None:
    database = open_database("postgresql://someone:secret@127.0.0.1:1/nowhere")
    with pytest.raises(StorageError, match="does not answer") as failure:
        migrate(database)
    assert failure.value.retryable
    assert "secret" not in str(failure.value)
    database.close()


def test_a_writer_waits_for_its_turn_and_no_longer_than_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamrp2p_coordinator.database.BUSY_SECONDS", 0.05)
    database = open_database(f"sqlite:///{tmp_path}/one.db")
    migrate(database)
    try:
        with ThreadPoolExecutor(1) as pool, database.write():

            def write() -> None:
                with database.write():
                    pass

            with pytest.raises(StorageError, match="busy"):
                pool.submit(write).result()
        with database.write() as store:
            assert store.pools.read_until() is None
    finally:
        database.close()
