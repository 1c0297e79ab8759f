"""The bytes of what is published: new ones in memory, whole segments on the disk as soon as it has taken them.

So neither a slow disk nor a full one keeps a part from the viewers; a full one only shortens how far they can go back.
"""

import asyncio
from pathlib import Path

from streamrp2p.durable import storage_error

MEDIA_FOLDER = "media"
MAX_PENDING_BYTES = 64 * 1024 * 1024
"""Of segments that the disk has not taken."""


class Store:
    """The one writer of its folder, which it empties: no playlist lists what an earlier run left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / MEDIA_FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        for left_over in self._folder.iterdir():
            left_over.unlink(missing_ok=True)
        self._memory: dict[str, bytes] = {}
        self._disk: set[str] = set()
        self._pending: dict[str, int] = {}
        """What shall go to the disk, oldest first, and its length."""

    def __contains__(self, name: str) -> bool:
        return name in self._memory or name in self._disk

    def is_in_memory(self, name: str) -> bool:
        """Tell whether an object is one of the small or new ones."""
        return name in self._memory

    def names(self) -> set[str]:
        """Return the names of all that is there."""
        return {*self._memory, *self._disk}

    def add(self, name: str, data: bytes, *, for_disk: bool = False) -> None:
        """Take an object."""
        self._memory[name] = data
        if for_disk:
            self._pending[name] = len(data)

    async def read(self, name: str) -> bytes | None:
        """Return an object's bytes, or None when it is not there (any more)."""
        if (data := self._memory.get(name)) is not None:
            return data
        if name not in self._disk:
            return None
        try:
            return await asyncio.to_thread((self._folder / name).read_bytes)
        except OSError:
            return None

    def remove(self, name: str) -> None:
        """Delete an object, if it is there."""
        self._memory.pop(name, None)
        self._pending.pop(name, None)
        if name in self._disk:
            self._disk.discard(name)
            (self._folder / name).unlink(missing_ok=True)

    async def write_pending(self) -> None:
        """Move to the disk what waits for it. Raises StorageError; the rest waits on."""
        for name in list(self._pending):
            data = self._memory.get(name)
            if data is None:
                continue
            path = self._folder / name
            try:
                await asyncio.to_thread(_write, path, data)
            except OSError as error:
                raise storage_error(path, error) from error
            if name not in self._pending:
                # Removed meanwhile.
                path.unlink(missing_ok=True)
                continue
            del self._pending[name], self._memory[name]
            self._disk.add(name)

    def overdue(self) -> list[str]:
        """Return the oldest of what waits for the disk that memory has no room for."""
        excess = sum(self._pending.values()) - MAX_PENDING_BYTES
        names = []
        for name, length in self._pending.items():
            if excess <= 0:
                break
            excess -= length
            names.append(name)
        return names


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError:
        path.unlink(missing_ok=True)
        raise
