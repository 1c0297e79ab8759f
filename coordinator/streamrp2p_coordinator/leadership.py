"""Which process settles and posts: exactly one, the leader, among all that share a database.

A lock chooses it. But a process may lose a lock and not know it yet: it hung, or was cut off from the database. So each
leader's term has a number, kept in the database, and every transaction of the leader's jobs holds that number fast: one
of an ended term changes nothing, and since a transaction on chain is recorded before it is sent, nothing new is sent.
"""

import os
import socket
import threading
import time

import structlog

from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.locks import SILENT_SECONDS, Lock
from streamrp2p_coordinator.network import Clock

LEADER_LOCK = "leader"
CONFIRM_SECONDS = 2
"""How often a leader shows that it lives."""

log = structlog.get_logger()


class Leadership:
    """This process's part in choosing the leader; any thread may ask."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._database = database
        self._clock = clock
        self._turn = threading.Lock()
        self._lock: Lock | None = None
        self._term: int | None = None
        self._confirmed_at = 0.0

    @property
    def term(self) -> int | None:
        """Return the number of this process's term, None if it does not lead. Waits for nothing."""
        is_fresh = time.monotonic() - self._confirmed_at < SILENT_SECONDS
        return self._term if is_fresh else None

    def take(self) -> int | None:
        """Lead if nobody else does; the term's number, or None. Raises StorageError."""
        with self._turn:
            self._confirm()
            if self._lock is None:
                begun = time.monotonic()
                self._lock = self._database.hold(LEADER_LOCK)
                if self._lock is not None:
                    self._begin(begun)
            return self._term

    def confirm(self) -> None:
        """Show that the leader lives, or notice that it leads no more; does nothing in another process."""
        with self._turn:
            self._confirm()

    def resign(self) -> None:
        """Let another process lead at once."""
        with self._turn:
            self._end()

    def _begin(self, at: float) -> None:
        try:
            with self._database.write() as store:
                term = store.leader.begin_term(self.name, self._clock())
        except BaseException:
            self._end()
            raise
        self._term, self._confirmed_at = term, at
        log.info("leadership_taken", term=term, leader=self.name)

    def _confirm(self) -> None:
        begun = time.monotonic()
        if self._lock is None:
            return
        if self._lock.confirm():
            self._confirmed_at = begun
        else:
            log.warning("leadership_lost", term=self._term, advice="another process may lead now")
            self._end()

    def _end(self) -> None:
        if self._lock is not None:
            self._lock.release()
        self._lock = self._term = None
