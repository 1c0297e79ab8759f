"""The database: short read transactions, serialised write transactions, and locks between processes."""

import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from streamrp2p.keccak import keccak
from streamrp2p_coordinator.errors import ConfigurationError, StorageError
from streamrp2p_coordinator.repositories.store import Store

BUSY_SECONDS = 30
"""How long a writer waits for another one."""
CONNECT_SECONDS = 10
"""How long a PostgreSQL that is silent is waited for."""
POOL = {"pool_size": 10, "max_overflow": 40}
"""Connections: more than FastAPI has threads, so that none waits for another's."""
BUSY = "the database is busy; send it again"
_IMMEDIATE = "streamrp2p_immediate"


class Database:
    """Hands out transactions. A write transaction is durable on the disk when its block ends without an error."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # SQLite lets one write at a time, and others look again after ever longer sleeps: some wait for seconds.
        # The writers of this process queue here instead, and take over at once.
        self._writers = threading.Lock() if engine.dialect.name == "sqlite" else None
        self.writing: Callable[[], AbstractContextManager[None]] = nullcontext
        """What is around each write transaction, to measure it."""

    @property
    def folder(self) -> Path | None:
        """Return where SQLite keeps it; None for a server's, whose disk is elsewhere."""
        if self.engine.dialect.name != "sqlite":
            return None
        return Path(self.engine.url.database or "").resolve().parent

    @contextmanager
    def read(self) -> Iterator[Store]:
        """Run a read transaction. Raises StorageError (retryable) when the database fails."""
        with _failures_named(), self.engine.connect() as connection, connection.begin():
            yield Store(connection)

    @contextmanager
    def write(self) -> Iterator[Store]:
        """Run a write transaction; on SQLite it is the only one. Raises StorageError (retryable) when it fails."""
        with self.writing(), self._turn(), _failures_named(), self.engine.connect() as connection:
            immediate = connection.execution_options(**{_IMMEDIATE: True})
            with immediate.begin():
                yield Store(immediate)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._writers is None:
            yield
        elif self._writers.acquire(timeout=BUSY_SECONDS):
            try:
                yield
            finally:
                self._writers.release()
        else:
            raise StorageError(BUSY)

    @contextmanager
    def exclusively(self, name: str) -> Iterator[bool]:
        """Hold the lock `name` among all processes of this database; False at once if another one holds it."""
        if self.engine.dialect.name == "postgresql":
            with _failures_named(), self.engine.connect() as connection:
                yield _try_advisory_lock(connection, name)
        else:
            with _file_lock(self.engine, name) as held:
                yield held

    @contextmanager
    def serialised_connection(self) -> Iterator[Connection]:
        """Run a write transaction on a bare connection, with no other such one beside it."""
        with _failures_named(), self.engine.connect() as connection:
            immediate = connection.execution_options(**{_IMMEDIATE: True})
            with immediate.begin():
                if immediate.dialect.name == "postgresql":
                    statement = text("SELECT pg_advisory_xact_lock(:key)")
                    immediate.execute(statement, {"key": lock_key(b"migrate")})
                yield immediate

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open the database of a SQLAlchemy URL; raises ConfigurationError for a URL that cannot work."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                **POOL,
                # A server that was restarted must not cost a request for each old connection.
                pool_pre_ping=True,
                connect_args={"connect_timeout": CONNECT_SECONDS},
            )
        elif parsed.get_backend_name() == "sqlite" and parsed.database not in (
            None,
            "",
            ":memory:",
        ):
            engine = create_engine(
                parsed,
                **POOL,
                # The driver must not begin transactions by itself: `_begin_sqlite` does.
                connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
            )
            event.listen(engine, "connect", _configure_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            raise ConfigurationError(
                "database_url must be a SQLite file (sqlite:///./coordinator.db) "
                "or a PostgreSQL database (postgresql://user@host/name)"
            )
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        # The URL may hold a password: it is not repeated.
        raise ConfigurationError(
            "database_url is not a database URL; write sqlite:///./coordinator.db "
            "or postgresql://user@host/name"
        ) from error
    return Database(engine)


def _configure_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # WAL lets readers go on while one writes; FULL makes a commit survive a power loss.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail when two race: writers queue from the start.
    immediate = connection.get_execution_options().get(_IMMEDIATE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise StorageError(BUSY) from error
    except DBAPIError as error:
        if error.connection_invalidated or _is_outside_failure(error):
            raise StorageError(_explain(error)) from error
        raise


def _is_outside_failure(error: DBAPIError) -> bool:
    return type(error).__name__ in {"OperationalError", "InterfaceError"}


def _explain(error: DBAPIError) -> str:
    reason = str(error.orig)
    if "full" in reason or "No space left" in reason:
        return (
            "the database's disk is full; nothing was taken in. Free some space and send it again"
        )
    if "locked" in reason:
        return BUSY
    return "the database does not answer; check that it runs and send it again"


def _try_advisory_lock(connection: Connection, name: str) -> bool:
    # Transaction-scoped, so it also ends with a connection that dies.
    connection.begin()
    statement = text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool(connection.execute(statement, {"key": lock_key(name.encode())}).scalar_one())


def lock_key(name: bytes) -> int:
    """Return PostgreSQL's number of an advisory lock."""
    return int.from_bytes(keccak(name)[:8], signed=True)


@contextmanager
def _file_lock(engine: Engine, name: str) -> Iterator[bool]:
    path = Path(f"{engine.url.database}.{name}.lock")
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
