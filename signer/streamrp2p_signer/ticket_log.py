"""What was signed, in SQLite. A ticket is in the log, and on the disk, before its signature is made.

Each row carries what its pool had used once it was signed, so that a pool's last row is its account: nothing is ever
summed. Times only rise from row to row.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamrp2p.epoch_clock import EpochClock
from streamrp2p.numbers import Address, SessionId
from streamrp2p.typed_data import SessionTicket
from streamrp2p_signer.budget import DAY_SECONDS, Used, carried, day_of
from streamrp2p_signer.refusals import Reason, RefusedError, SignerSetupError

BUSY_SECONDS = 2.0
"""How long another process that writes, such as a second signer in the folder, is waited for."""
KEEP_SECONDS = 90 * DAY_SECONDS
"""How long a ticket stays in the log after it expired."""
FORGOTTEN_AT_ONCE = 4
"""With each new ticket up to so many old ones go: the log stops growing, and no ticket waits for a long cleaning."""
VERSION = 1

SCHEMA = """
CREATE TABLE tickets (
    number INTEGER PRIMARY KEY,
    session_id BLOB NOT NULL UNIQUE,
    pool_id INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    node BLOB NOT NULL,
    viewer BLOB NOT NULL,
    max_bytes INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    asker BLOB NOT NULL,
    admitted_at INTEGER NOT NULL,
    price_per_gb TEXT NOT NULL,
    epoch_worth TEXT NOT NULL,
    day_worth TEXT NOT NULL
) STRICT;
CREATE INDEX tickets_of_pool ON tickets (pool_id, number);
CREATE INDEX tickets_open ON tickets (pool_id, expires_at);
CREATE INDEX tickets_by_end ON tickets (expires_at);
"""


@dataclass(frozen=True, slots=True)
class Logged:
    """A ticket that was signed, and what its pool had used then; times in Unix seconds."""

    session_id: SessionId
    pool_id: int
    epoch: int
    node: Address
    viewer: Address
    max_bytes: int
    expires_at: int
    asker: Address
    admitted_at: int


class Entries:
    """The log within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def has(self, session_id: SessionId) -> bool:
        """Tell whether the ticket of a session was signed."""
        query = "SELECT 1 FROM tickets WHERE session_id = ?"
        return self._connection.execute(query, (session_id,)).fetchone() is not None

    def newest_at(self) -> int:
        """Return when the newest ticket was signed; 0 without any."""
        row = self._connection.execute(
            "SELECT admitted_at FROM tickets ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return row[0] if row else 0

    def used(self, pool_id: int, epoch: int, now: int) -> Used:
        """Return what a pool has used of the epoch's and the day's budgets, and its tickets that have not expired."""
        (open_sessions,) = self._connection.execute(
            "SELECT count(*) FROM tickets WHERE pool_id = ? AND expires_at > ?", (pool_id, now)
        ).fetchone()
        row = self._connection.execute(
            "SELECT epoch, admitted_at, epoch_worth, day_worth FROM tickets WHERE pool_id = ? "
            "ORDER BY number DESC LIMIT 1",
            (pool_id,),
        ).fetchone()
        if row is None:
            return Used()
        last = Used(int(row[2]), int(row[3]), open_sessions)
        return carried(last, same_epoch=row[0] == epoch, same_day=day_of(row[1]) == day_of(now))

    def add(
        self, ticket: SessionTicket, price_per_gb: int, used: Used, asker: Address, now: int
    ) -> None:
        """Log a ticket with what its pool has used now."""
        self._connection.execute(
            "INSERT INTO tickets (session_id, pool_id, epoch, node, viewer, max_bytes, issued_at, expires_at, asker, "
            "admitted_at, price_per_gb, epoch_worth, day_worth) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                ticket.session_id,
                ticket.pool_id,
                ticket.epoch,
                ticket.node,
                ticket.viewer,
                ticket.max_bytes,
                ticket.issued_at,
                ticket.expires_at,
                asker,
                now,
                str(price_per_gb),
                str(used.epoch_worth),
                str(used.day_worth),
            ),
        )
        # Those of the current epoch stay: one of them may be a pool's account.
        self._connection.execute(
            "DELETE FROM tickets WHERE number IN "
            "(SELECT number FROM tickets WHERE expires_at < ? AND epoch < ? LIMIT ?)",
            (now - KEEP_SECONDS, ticket.epoch, FORGOTTEN_AT_ONCE),
        )

    def newest(self, count: int) -> list[Logged]:
        """Return the newest tickets, newest first."""
        rows = self._connection.execute(
            "SELECT session_id, pool_id, epoch, node, viewer, max_bytes, expires_at, asker, admitted_at FROM tickets "
            "ORDER BY number DESC LIMIT ?",
            (count,),
        )
        return [Logged(*row) for row in rows]


class TicketLog:
    """The open log. Its transactions may be begun in any thread, one after the other."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; raises SignerSetupError."""
        self._path = path
        self._turn = threading.Lock()
        try:
            # For its owner alone, as it tells who was admitted where.
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise SignerSetupError(
                f"{path} cannot be opened ({error}); check the folder and its disk"
            ) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self.close()
            raise SignerSetupError(
                f"{path} cannot be used ({error}); check its disk, or restore it from a backup: without it the "
                "budgets begin anew"
            ) from error

    def _prepare(self) -> None:
        # FULL: a commit survives a power loss, so what was signed always counts.
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("BEGIN IMMEDIATE")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in SCHEMA.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version={VERSION}")
        self._connection.execute("COMMIT")
        if version > VERSION:
            self.close()
            raise SignerSetupError(
                f"{self._path} is of a newer version of the signer; install that one again"
            )

    @contextmanager
    def writing(self) -> Iterator[Entries]:
        """Run the only write transaction; what it wrote is on the disk when the block ends without an error.

        Raises RefusedError when the disk is full or fails: then nothing was logged.
        """
        with self._turn:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield Entries(self._connection)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise RefusedError(
                    Reason.STORAGE_FAILED,
                    f"this signer cannot write its log now ({error}), and signs nothing that is not in it; try again, "
                    "and let its operator make room on the disk",
                    5,
                ) from error
            finally:
                if self._connection.in_transaction:
                    self._connection.rollback()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def account(
    path: Path, pool_ids: list[int], epochs: EpochClock, clock_now: int, count: int
) -> "Account":
    """Read what each pool has used now, and the newest tickets, beside a signer that runs; raises SignerSetupError."""
    if not path.exists():
        return Account({pool_id: Used() for pool_id in pool_ids}, [])
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            connection.execute("BEGIN")
            entries = Entries(connection)
            now = max(clock_now, entries.newest_at())
            epoch = epochs.at(max(now, epochs.genesis))
            used = {pool_id: entries.used(pool_id, epoch, now) for pool_id in pool_ids}
            return Account(used, entries.newest(count))
    except sqlite3.Error as error:
        raise SignerSetupError(
            f"{path} cannot be read ({error}); check it and its folder, or restore it from a backup"
        ) from error


@dataclass(frozen=True, slots=True)
class Account:
    """What each pool has used, and the newest tickets."""

    used: dict[int, Used]
    newest: list[Logged]
