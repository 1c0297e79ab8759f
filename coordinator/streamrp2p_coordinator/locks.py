"""Locks between processes, held until they are released or their holder dies, hangs or is cut off."""

import fcntl
import os
import threading
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from streamrp2p.keccak import keccak

SILENT_SECONDS = 6
"""A PostgreSQL takes a lock back from a holder that was silent for so long: it hangs, or the network is cut."""


class Lock(Protocol):
    """A lock that this process took."""

    def confirm(self) -> bool:
        """Tell whether it is held still, and let the database know that its holder lives."""

    def release(self) -> None:
        """Give it back; without effect on one that was lost."""


class FileLock:
    """A lock on a file beside a SQLite database. The system frees it when the process ends, however it ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path) -> "FileLock | None":
        """Take the lock; None at once if another holds it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(path, descriptor)

    def confirm(self) -> bool:
        """See `Lock`: the file may have been removed, and another process have locked a new one of that name."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """See `Lock`."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class AdvisoryLock:
    """A lock of PostgreSQL that lives as long as one open transaction, so it ends with its connection.

    That transaction does nothing else, so it holds nothing up, and a pooler in transaction mode keeps its server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = threading.Lock()

    @classmethod
    def take(cls, engine: Engine, name: str) -> "AdvisoryLock | None":
        """Take the lock; None at once if another holds it. Raises SQLAlchemy's DBAPIError."""
        connection = engine.connect()
        try:
            connection.begin()
            # Set before the lock is taken: no moment in which a holder that hangs keeps it.
            end_when_silent(connection)
            statement = text("SELECT pg_try_advisory_xact_lock(:key)")
            if connection.execute(statement, {"key": lock_key(name.encode())}).scalar_one():
                return cls(connection)
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None

    def confirm(self) -> bool:
        """See `Lock`."""
        with self._turn:
            try:
                self._connection.execute(text("SELECT 1"))
            except DBAPIError:
                return False
            return True

    def release(self) -> None:
        """See `Lock`."""
        with self._turn:
            try:
                self._connection.rollback()
            except DBAPIError:
                # The server ended it: nothing is left to give back, and nobody else may use this connection.
                self._connection.invalidate()
            finally:
                self._connection.close()


def end_when_silent(connection: Connection) -> None:
    """Let PostgreSQL end the transaction that has begun, with all its locks, when its process falls silent."""
    connection.execute(
        text(f"SET LOCAL idle_in_transaction_session_timeout = '{SILENT_SECONDS * 1000:.0f}ms'")
    )


def lock_key(name: bytes) -> int:
    """Return PostgreSQL's number of an advisory lock."""
    return int.from_bytes(keccak(name)[:8], signed=True)
