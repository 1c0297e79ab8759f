"""Backups of both databases: consistent while others write, checked, and restored to the same records."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import select

from scripts.stack.postgres import postgres_tools_folder
from streamrp2p.durable import FileAlreadyExistsError
from streamrp2p_coordinator.backup import make_backup, read_backup, restore_backup
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.errors import BackupError
from streamrp2p_coordinator.leadership import LEADER_LOCK
from streamrp2p_coordinator.migrate import current_revision, known_revisions
from streamrp2p_coordinator.tables import MODELS, table_of
from tests.coordinator.conftest import new_postgres_database
from tests.coordinator.frozen_schemas import load_frozen
from tests.coordinator.world import EPOCH_SECONDS, GENESIS, GRACE_SECONDS, World


@pytest.fixture(autouse=True)
def postgres_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the package's pg_dump first: that of the system may be older than the server."""
    monkeypatch.setenv("PATH", str(postgres_tools_folder()), prepend=":")


@pytest.fixture
def settled(world: World) -> World:
    """Settle two epochs, and acknowledge a record in the third."""
    node = world.node()
    first = world.submit(node.batch(1, [world.viewer(node.address).record(1, 1000)]))
    world.travel_to(GENESIS + 2 * EPOCH_SECONDS + GRACE_SECONDS)
    world.tick()
    second = world.submit(node.batch(2, [world.viewer(node.address, nonce=1).record(1, 1000)]))
    assert (first.ack.accepted, second.ack.accepted) == (1, 1)
    return world


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    """Open another, empty database of the same kind."""
    with closing(open_database(empty_database_url)) as database:
        yield database


@pytest.fixture
def older(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Open a database of the oldest schema."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'older.db'}"
        if database_kind == "postgres":
            server_url = request.getfixturevalue("postgres_url")
            url = stack.enter_context(new_postgres_database(server_url))
        database = stack.enter_context(closing(open_database(url)))
        load_frozen(database.engine, known_revisions()[0])
        yield database


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.engine.connect() as connection:
        return {
            table_of(model).name: sorted(
                (tuple(row) for row in connection.execute(select(table_of(model)))), key=repr
            )
            for model in MODELS
        }


def backed_up(world: World, folder: Path) -> Path:
    make_backup(world.database, world.services.bundles, folder, lambda: 1_234)
    return folder


def test_a_backup_restores_every_record_and_bundle(
    settled: World, empty: Database, tmp_path: Path
) -> None:
    folder = backed_up(settled, tmp_path / "backup")
    bundles = Bundles(tmp_path / "other-bundles")

    backup = restore_backup(folder, empty, bundles)

    assert (backup.taken_at, backup.settled, len(backup.bundles)) == (1_234, 2, 2)
    assert everything(empty) == everything(settled.database)
    with empty.read() as store:
        headers = store.epochs.headers()
    assert [header.epoch for header in headers] == [0, 1]
    for header in headers:
        assert bundles.read(header.data_hash) == settled.services.bundles.read(header.data_hash)


def test_a_backup_while_batches_are_taken_in_is_of_one_instant(
    settled: World, empty: Database, tmp_path: Path
) -> None:
    """A batch, its sessions and their tally are written together: a backup has all of them or none."""
    node = settled.node()
    stop, begun = threading.Event(), threading.Event()

    def submit() -> None:
        nonce = 10
        while not stop.is_set() or nonce < 20:
            settled.submit(
                node.batch(
                    2, [settled.viewer(node.address, nonce=nonce).record(1, 7)], number=nonce
                )
            )
            nonce += 1
            if nonce > 12:
                begun.set()

    thread = threading.Thread(target=submit)
    thread.start()
    assert begun.wait(60)
    folder = backed_up(settled, tmp_path / "backup")
    stop.set()
    thread.join()
    restore_backup(folder, empty, Bundles(tmp_path / "other-bundles"))

    found = everything(empty)
    assert 3 <= len(found["batches"]) - 2 <= len(everything(settled.database)["batches"]) - 2
    assert len(found["sessions"]) == len(found["batches"])


def test_a_backup_of_an_older_schema_changes_nothing_and_restores_migrated(
    older: Database, empty: Database, tmp_path: Path
) -> None:
    bundles, folder = Bundles(tmp_path / "bundles"), tmp_path / "backup"
    with pytest.raises(BackupError, match="has no schema"):
        make_backup(empty, bundles, folder, lambda: 7)

    assert make_backup(older, bundles, folder, lambda: 7).revision == known_revisions()[0]
    assert current_revision(older) == known_revisions()[0]
    restore_backup(folder, empty, bundles)
    assert current_revision(empty) == known_revisions()[-1]


def test_a_backup_of_a_newer_version_fills_nothing(
    settled: World, empty: Database, tmp_path: Path
) -> None:
    folder = backed_up(settled, tmp_path / "backup")
    manifest = folder / "backup.json"
    manifest.write_text(manifest.read_text().replace(known_revisions()[-1], "9999"))
    with pytest.raises(BackupError, match="newer version, 9999"):
        restore_backup(folder, empty, Bundles(tmp_path / "other-bundles"))
    assert current_revision(empty) is None


def test_a_backup_replaces_nothing(settled: World, empty: Database, tmp_path: Path) -> None:
    folder = backed_up(settled, tmp_path / "backup")
    with pytest.raises(FileAlreadyExistsError, match="name a new folder"):
        backed_up(settled, folder)
    bundles = Bundles(tmp_path / "other-bundles")
    settled.services.leadership.resign()
    with pytest.raises(BackupError, match="is not empty"):
        restore_backup(folder, settled.database, bundles)
    lock = empty.hold(LEADER_LOCK)
    assert lock is not None
    with pytest.raises(BackupError, match="stop it first"):
        restore_backup(folder, empty, bundles)
    lock.release()


def test_a_missing_bundle_stops_a_backup_and_leaves_nothing(settled: World, tmp_path: Path) -> None:
    with settled.database.read() as store:
        (first, _) = store.epochs.headers()
    settled.services.bundles.path(first.data_hash).unlink()
    with pytest.raises(BackupError, match="the bundle of epoch 0"):
        backed_up(settled, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == []


@pytest.mark.parametrize("pattern", ["database.*", "bundles/*", "backup.json"])
def test_a_damaged_backup_is_refused(settled: World, tmp_path: Path, pattern: str) -> None:
    folder = backed_up(settled, tmp_path / "backup")
    path = next(folder.glob(pattern))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(BackupError, match=r"damaged|cannot be read"):
        read_backup(folder)
