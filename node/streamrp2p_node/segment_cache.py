"""Segments by their SHA-256: a small tier in memory over a bounded one on disk that survives restarts.

No name that came over the network ever becomes part of a path. What is read back is hashed again, so a torn or
altered file is only a miss.
"""

import re
import secrets
import threading
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import structlog

from streamrp2p_node.lru import Lru

_FILE = re.compile(r"[0-9a-f]{64}")
_WARN_EVERY_SECONDS = 60.0
_log = structlog.get_logger("cache")


class SegmentCache:
    """A two-tier cache; its methods block, all but `hot`, and may be called from several threads."""

    def __init__(self, folder: Path, *, max_bytes: int, memory_bytes: int) -> None:
        """Take over what is in `folder`, the oldest first, up to `max_bytes`."""
        self._folder = folder
        self._lock = threading.Lock()
        self._disk = Lru(max_bytes)
        self._memory = Lru(memory_bytes)
        self._hot: dict[bytes, bytes] = {}
        self._warned_at = -_WARN_EVERY_SECONDS
        self.has_full_disk = False
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_over()

    @property
    def disk_bytes(self) -> int:
        """Return how much is on disk."""
        return self._disk.total_bytes

    @property
    def disk_segments(self) -> int:
        """Return how many segments are on disk."""
        return len(self._disk)

    @property
    def memory_bytes(self) -> int:
        """Return how much is in memory."""
        return self._memory.total_bytes

    def hot(self, digest: bytes) -> bytes | None:
        """Return the segment with that SHA-256 if it is in memory; does not block."""
        with self._lock:
            if not self._memory.touch(digest):
                return None
            self._disk.touch(digest)
            return self._hot[digest]

    def get(self, digest: bytes) -> bytes | None:
        """Return the segment with that SHA-256, or None."""
        data = self.hot(digest)
        if data is not None:
            return data
        with self._lock:
            if not self._disk.touch(digest):
                return None
        data = self._read(digest)
        with self._lock:
            if data is None:
                self._disk.remove(digest)
            else:
                self._remember(digest, data)
        return data

    def put(self, digest: bytes, data: bytes) -> None:
        """Keep a segment whose SHA-256 was checked. A disk that takes none is warned of, and memory serves instead."""
        with self._lock:
            self._remember(digest, data)
            if digest in self._disk:
                return
            dropped = self._disk.add(digest, len(data))
        if dropped is None:
            return
        try:
            for old in dropped:
                self._path(old).unlink(missing_ok=True)
            self._write(digest, data)
            self.has_full_disk = False
        except OSError as error:
            with self._lock:
                self._disk.remove(digest)
            self.has_full_disk = True
            self._warn(error)

    def _remember(self, digest: bytes, data: bytes) -> None:
        dropped = self._memory.add(digest, len(data))
        if dropped is not None:
            self._hot[digest] = data
            for old in dropped:
                del self._hot[old]

    def _read(self, digest: bytes) -> bytes | None:
        path = self._path(digest)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if sha256(data).digest() != digest:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        # The files' times carry the order of use over a restart.
        with suppress(OSError):
            path.touch()
        return data

    def _write(self, digest: bytes, data: bytes) -> None:
        """Write atomically but unsynced: a file that a power cut tears does not match its name and is dropped."""
        temporary = self._folder / f".{secrets.token_hex(8)}.tmp"
        try:
            temporary.write_bytes(data)
            temporary.replace(self._path(digest))
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def _take_over(self) -> None:
        found = []
        for path in self._folder.iterdir():
            if _FILE.fullmatch(path.name):
                status = path.stat()
                found.append((status.st_mtime_ns, path.name, status.st_size))
            elif path.name.endswith(".tmp"):
                path.unlink()
        for _, name, size in sorted(found):
            dropped = self._disk.add(bytes.fromhex(name), size)
            gone = [bytes.fromhex(name)] if dropped is None else dropped
            for old in gone:
                self._path(old).unlink(missing_ok=True)

    def _path(self, digest: bytes) -> Path:
        return self._folder / digest.hex()

    def _warn(self, error: OSError) -> None:
        now = time.monotonic()
        if now - self._warned_at >= _WARN_EVERY_SECONDS:
            self._warned_at = now
            _log.warning(
                "segment_not_kept",
                folder=str(self._folder),
                reason=error.strerror or str(error),
                todo="free some space, or give the node less with --cache-bytes",
            )
