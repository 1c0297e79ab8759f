"""The book with its journals: what is in memory is what a replay of the files gives."""

import re
from collections.abc import Callable
from pathlib import Path

import structlog

from streamrp2p.durable import StorageError
from streamrp2p.errors import MalformedError
from streamrp2p_node.book import Book, entries_of
from streamrp2p_node.entries import Entry, entry_of
from streamrp2p_node.frames import Frame
from streamrp2p_node.group_commit import GroupCommit
from streamrp2p_node.journal import Journal

COMPACT_AT_BYTES = 16 * 1024 * 1024
"""A journal is compacted once it is so long, and again each time it has grown fourfold since."""

_NAME = re.compile(r"epoch-([0-9]{1,19})\.journal")
_log = structlog.get_logger("store")


class Store:
    """All sessions, journaled. Of one event loop."""

    def __init__(self, folder: Path, is_wanted: Callable[[int], bool] = lambda _: True) -> None:
        """Replay the journals in `folder` of the epochs that are wanted; raises StorageError or MalformedError."""
        self.book = Book()
        self._folder = folder
        self._journals: dict[int, Journal] = {}
        self._commits: dict[int, GroupCommit] = {}
        self._compact_at: dict[int, int] = {}
        for epoch in filter(is_wanted, self._stored_epochs()):
            self._open(epoch)

    async def record(self, epoch: int, entry: Entry) -> None:
        """Journal an entry durably, then apply it; raises StorageError and then nothing is changed."""
        await self._commit(epoch).append(entry.frame().encode())
        # No await may come in between: see GroupCommit.
        self.book.apply(entry)

    def note(self, epoch: int, entry: Entry) -> None:
        """Apply an entry and journal it unsynced: `kill -9` does not lose it, a power cut may.

        Never raises for a full disk: an account that is a little old costs at most one credit window.
        """
        self.book.apply(entry)
        try:
            self._journal(epoch).append(entry.frame().encode())
        except StorageError as error:
            _log.warning("account_not_journaled", epoch=epoch, reason=str(error))

    async def compact(self) -> None:
        """Shorten the journals that have grown long."""
        for epoch, journal in list(self._journals.items()):
            if journal.size_bytes() >= self._compact_at[epoch]:
                await self._commits[epoch].rewrite()
                self._compact_at[epoch] = max(COMPACT_AT_BYTES, 4 * journal.size_bytes())

    def close_epoch(self, epoch: int) -> None:
        """Drop an epoch whose intake is over from memory. Its journal stays on disk."""
        self.book.forget_epoch(epoch)
        journal = self._journals.pop(epoch, None)
        self._commits.pop(epoch, None)
        if journal is not None:
            _close(journal)

    def open_epochs(self) -> list[int]:
        """Return the epochs that are in memory, rising."""
        return sorted(self._journals)

    def close(self) -> None:
        """Sync and close all journals."""
        for journal in self._journals.values():
            _close(journal)

    def _commit(self, epoch: int) -> GroupCommit:
        self._journal(epoch)
        return self._commits[epoch]

    def _journal(self, epoch: int) -> Journal:
        if epoch not in self._journals:
            self._open(epoch)
        return self._journals[epoch]

    def _open(self, epoch: int) -> None:
        journal = Journal(self._folder / f"epoch-{epoch}.journal")
        for frame in journal.frames:
            entry = entry_of(frame)
            if self.book.apply(entry) is None:
                raise MalformedError(
                    f"{journal.path} has an entry of a session that it does not open; "
                    "restore it from a backup, or move it away to give up its epoch"
                )
        journal.frames = ()
        self._journals[epoch] = journal
        self._commits[epoch] = GroupCommit(journal, lambda: self._snapshot(epoch))
        self._compact_at[epoch] = COMPACT_AT_BYTES

    def _snapshot(self, epoch: int) -> list[Frame]:
        return [entry.frame() for entry in entries_of(self.book.of_epoch(epoch))]

    def _stored_epochs(self) -> list[int]:
        found = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return sorted(int(match[1]) for match in found if match)


def _close(journal: Journal) -> None:
    """Close a journal. What was promised is synced already, so a failure is only told."""
    try:
        journal.close()
    except StorageError as error:
        _log.warning("journal_not_closed", reason=str(error))
