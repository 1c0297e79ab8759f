"""One file that holds a database as it was at one instant, written while others go on writing, and read back."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from streamrp2p.header import EpochHeader
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import BackupError, ConfigurationError
from streamrp2p_coordinator.repositories.store import Store

FILES = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}
"""The copy's name, by the kind of database."""


def copy_database(database: Database, folder: Path) -> tuple[str, list[EpochHeader]]:
    """Copy the database into a folder and read the copy through; the file's name, and the headers it holds, rising.

    Raises BackupError, ConfigurationError when PostgreSQL's tools are not there, StorageError.
    """
    kind = database.engine.dialect.name
    path = folder / FILES[kind]
    headers = _copy_sqlite(database, path) if kind == "sqlite" else _dump_postgres(database, path)
    return path.name, headers


def put_back(path: Path, database: Database) -> None:
    """Fill an empty database from a copy. Raises BackupError when it is not empty or of another kind."""
    kind = database.engine.dialect.name
    if path.name != FILES[kind]:
        raise BackupError(
            f"{path} is not a copy of a {kind} database; set database_url to one of the backup's kind"
        )
    if inspect(database.engine).get_table_names():
        raise BackupError(
            "the database is not empty, and a backup replaces nothing; set database_url to a new one, "
            "or move the old one away"
        )
    if kind == "sqlite":
        with (
            closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as source,
            database.engine.connect() as connection,
        ):
            source.backup(_driver(connection.connection.driver_connection))
    else:
        _run(
            [
                *("pg_restore", "--exit-on-error", "--single-transaction"),
                *("--no-owner", "--no-privileges", "--dbname", _libpq_url(database.engine), path),
            ],
            database.engine,
        )


def _copy_sqlite(database: Database, path: Path) -> list[EpochHeader]:
    with closing(sqlite3.connect(path)) as target:
        with database.engine.connect() as connection:
            # In one step: it sees one instant, and in WAL mode holds no writer up.
            _driver(connection.connection.driver_connection).backup(target)
        # One file, without a log beside it.
        target.execute("PRAGMA journal_mode=DELETE")
        (found,) = target.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            raise BackupError(f"the copy {path} is damaged ({found}); check the disk")
        rows = target.execute("SELECT header FROM epochs WHERE header IS NOT NULL ORDER BY epoch")
        return [EpochHeader.decode(header) for (header,) in rows]


def _driver(connection: object) -> sqlite3.Connection:
    if not isinstance(connection, sqlite3.Connection):
        raise AssertionError("SQLite's connections are Python's own")
    return connection


def _dump_postgres(database: Database, path: Path) -> list[EpochHeader]:
    with database.engine.connect() as connection:
        repeatable = connection.execution_options(isolation_level="REPEATABLE READ")
        with repeatable.begin():
            # The dump shows what this transaction sees: the headers are those of the dump.
            snapshot = repeatable.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            headers = Store(repeatable).epochs.headers()
            _run(
                [
                    *("pg_dump", "--format=custom", f"--snapshot={snapshot}", "--no-owner"),
                    *("--no-privileges", "--file", path, "--dbname", _libpq_url(database.engine)),
                ],
                database.engine,
            )
    # Writes the script that would restore it, to nowhere: every block of the archive is read and unpacked.
    _run(["pg_restore", "--file", os.devnull, path], database.engine)
    return headers


def _libpq_url(engine: Engine) -> str:
    # Everybody on the machine sees a command's arguments: the password goes by the environment.
    return engine.url.set(drivername="postgresql", password=None).render_as_string()


def _run(command: Sequence[str | Path], engine: Engine) -> None:
    tool = str(command[0])
    if shutil.which(tool) is None:
        raise ConfigurationError(
            f"{tool} is not on the PATH; install PostgreSQL's client tools, of the server's version or newer"
        )
    password = engine.url.password
    result = subprocess.run(
        command,
        env={**os.environ, **({} if password is None else {"PGPASSWORD": str(password)})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise BackupError(f"{tool} failed: {reason}")
