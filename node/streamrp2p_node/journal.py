"""One epoch's append-only file. What `append_synced` returned for survives `kill -9` and power loss."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path

import structlog

from streamrp2p.durable import storage_error, sync_folder, write_atomically
from streamrp2p_node.frames import MAGIC, Frame, Scan, encode_journal, scan

_log = structlog.get_logger("journal")


class Journal:
    """An open journal. Its methods may be called from any thread.

    `append` costs one write into the page cache, which survives the death of this process. `append_synced` adds a
    sync, which survives that of the machine. A failed write leaves no partial frame behind.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file and cut off a torn tail; raises StorageError."""
        self.path = path
        self._lock = threading.Lock()
        self._is_damaged = False
        try:
            self.frames = self._recover()
            self._descriptor = self._open()
        except OSError as error:
            raise storage_error(path, error) from error
        self._length = self._size()

    @property
    def is_damaged(self) -> bool:
        """Tell whether a sync failed, after which nobody knows what is on the disk: only `rewrite` helps."""
        return self._is_damaged

    def append(self, data: bytes) -> None:
        """Write encoded frames; raises DiskFullError or StorageError, and then the file is as before."""
        with self._lock:
            try:
                written = os.write(self._descriptor, data)
                if written != len(data):
                    # A short write is how a disk that is just filling up shows; the next call tells why.
                    written += os.write(self._descriptor, data[written:])
                if written != len(data):
                    raise OSError(28, os.strerror(28))
            except OSError as error:
                self._cut()
                raise storage_error(self.path, error) from error
            self._length += len(data)

    def append_synced(self, data: bytes) -> None:
        """Write encoded frames and return once they are on the disk; raises DiskFullError or StorageError."""
        self.append(data)
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._is_damaged = True
            raise storage_error(self.path, error) from error

    def rewrite(self, frames: Iterable[Frame]) -> None:
        """Replace all that is in the file, atomically: for compaction, and after a sync failed."""
        data = encode_journal(frames)
        with self._lock:
            try:
                write_atomically(self.path, data, mode=0o600)
                descriptor = self._open()
            except OSError as error:
                raise storage_error(self.path, error) from error
            finally:
                # Replaced, but not to the end: what is written to the old file from now on would be lost.
                self._is_damaged = self._is_damaged or not self._is_of_path()
            os.close(self._descriptor)
            self._descriptor = descriptor
            self._length = len(data)
            self._is_damaged = False

    def size_bytes(self) -> int:
        """Return how long the file is."""
        return self._length

    def close(self) -> None:
        """Sync and close; safe to call twice. Raises StorageError when the sync fails; it is closed all the same."""
        with self._lock:
            if self._descriptor < 0:
                return
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                raise storage_error(self.path, error) from error
            finally:
                os.close(self._descriptor)
                self._descriptor = -1

    def _recover(self) -> tuple[Frame, ...]:
        data = self.path.read_bytes() if self.path.exists() else b""
        found = scan(data)
        if found.intact_bytes < len(data):
            self._keep_tail(data, found)
        if found.intact_bytes == 0:
            write_atomically(self.path, MAGIC, mode=0o600)
        elif found.intact_bytes < len(data):
            os.truncate(self.path, found.intact_bytes)
        return found.frames

    def _keep_tail(self, data: bytes, found: Scan) -> None:
        """Put what is cut off aside: if it is more than a torn write, somebody will want to look at it."""
        tail = data[found.intact_bytes :]
        aside = self.path.with_suffix(f".torn-{found.intact_bytes}")
        write_atomically(aside, tail, mode=0o600)
        _log.warning(
            "torn_tail_cut_off",
            journal=str(self.path),
            intact_bytes=found.intact_bytes,
            tail_bytes=len(tail),
            kept_in=str(aside),
        )

    def _open(self) -> int:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            sync_folder(self.path.parent)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def _is_of_path(self) -> bool:
        """Tell whether the open file is the one of that name."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except OSError:
            return False

    def _size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def _cut(self) -> None:
        """Take a partial frame back. Frames behind it would be lost to the reader."""
        try:
            os.ftruncate(self._descriptor, self._length)
        except OSError:
            self._is_damaged = True
