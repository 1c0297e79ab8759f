"""The database: short read transactions, serialised write transactions, and locks between processes."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from streamrp2p_coordinator.errors import ConfigurationError, NotLeaderError, StorageError
from streamrp2p_coordinator.locks import (
    SILENT_SECONDS,
    AdvisoryLock,
    FileLock,
    Lock,
    end_when_silent,
    lock_key,
)
from streamrp2p_coordinator.repositories.store import Store

BUSY_SECONDS = 30
"""How long a writer waits for another one."""
CONNECT_SECONDS = 10
"""How long a PostgreSQL that is silent is waited for."""
POOL = {"pool_size": 10, "max_overflow": 40}
"""Connections: more than FastAPI has threads, so that none waits for another's."""
BUSY = "the database is busy; send it again"
KEEPALIVES = {
    "keepalives_idle": SILENT_SECONDS // 2,
    "keepalives_interval": 1,
    "keepalives_count": SILENT_SECONDS // 2,
    "tcp_user_timeout": SILENT_SECONDS * 1000,
}
"""libpq's: a connection that leads nowhere any more fails, instead of being waited for."""
SILENT_STATE = "25P03"
"""PostgreSQL's code of a transaction that it ended because its process was silent."""
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
        self.term: int | None = None
        """The term of the leader whose work this is for; None for everybody else's."""
        self._held: list[Lock] = []

    def in_term(self, term: int) -> "Database":
        """Return the same database for a leader's work: its writes raise NotLeaderError once the term has ended."""
        fenced = copy(self)
        fenced.term = term
        return fenced

    @property
    def folder(self) -> Path | None:
        """Return where SQLite keeps it; None for a server's, whose disk is elsewhere."""
        if self.engine.dialect.name != "sqlite":
            return None
        return Path(self.engine.url.database or "").resolve().parent

    @contextmanager
    def read(self) -> Iterator[Store]:
        """Run a read transaction. Raises StorageError (retryable) when the database fails."""
        with self.bare_connection() as connection:
            yield Store(connection)

    @contextmanager
    def write(self) -> Iterator[Store]:
        """Run a write transaction; on SQLite it is the only one. Raises StorageError (retryable) when it fails."""
        with self.writing(), self._turn(), _failures_named(), self.engine.connect() as connection:
            immediate = connection.execution_options(**{_IMMEDIATE: True})
            with immediate.begin():
                store = Store(immediate)
                if self.term is not None:
                    self._hold_term(store, immediate, self.term)
                yield store

    @staticmethod
    def _hold_term(store: Store, connection: Connection, term: int) -> None:
        if connection.dialect.name == "postgresql":
            # The next leader waits for this transaction, but not for one whose process hangs.
            end_when_silent(connection)
        if not store.leader.is_in_term(term):
            raise NotLeaderError

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

    def hold(self, name: str) -> Lock | None:
        """Take the lock `name` among all processes of this database; None at once if another one holds it.

        It is released with `close` at the latest. Raises StorageError.
        """
        lock = self._take(name)
        if lock is not None:
            self._held.append(lock)
        return lock

    def is_held(self, name: str) -> bool:
        """Tell whether some process holds the lock `name`. Raises StorageError."""
        lock = self._take(name)
        if lock is None:
            return True
        lock.release()
        return False

    def _take(self, name: str) -> Lock | None:
        if self.engine.dialect.name == "postgresql":
            with _failures_named():
                return AdvisoryLock.take(self.engine, name)
        return FileLock.take(Path(f"{self.engine.url.database}.{name}.lock"))

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

    @contextmanager
    def bare_connection(self) -> Iterator[Connection]:
        """Run a read transaction on a bare connection. Raises StorageError."""
        with _failures_named(), self.engine.connect() as connection, connection.begin():
            yield connection

    def check_writable(self) -> None:
        """Raise StorageError unless a write transaction can be begun here, ConfigurationError on a replica."""
        with self.serialised_connection() as connection:
            if connection.dialect.name == "postgresql":
                read_only = connection.execute(text("SHOW transaction_read_only")).scalar_one()
                if read_only != "off":
                    raise ConfigurationError(
                        "the database is read-only (a replica?); set database_url to the primary"
                    )

    def close(self) -> None:
        """Close every connection, and release every lock."""
        while self._held:
            self._held.pop().release()
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
                connect_args={"connect_timeout": CONNECT_SECONDS, **KEEPALIVES},
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


def open_existing(url: str) -> Database:
    """Open a database that is there: to open another one of SQLite would make its file. Raises ConfigurationError."""
    database = open_database(url)
    file = database.engine.url.database
    if database.engine.dialect.name == "sqlite" and not Path(file or "").is_file():
        raise ConfigurationError(
            f"{file} does not exist; correct database_url, or let `streamrp2p coordinator run` make it"
        )
    return database


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
    if type(error).__name__ in {"OperationalError", "InterfaceError"}:
        return True
    return getattr(error.orig, "sqlstate", None) == SILENT_STATE


def _explain(error: DBAPIError) -> str:
    reason = str(error.orig)
    if "full" in reason or "No space left" in reason:
        return (
            "the database's disk is full; nothing was taken in. Free some space and send it again"
        )
    if "locked" in reason:
        return BUSY
    return "the database does not answer; check that it runs and send it again"
