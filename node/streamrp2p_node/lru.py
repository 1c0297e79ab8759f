"""Which entries of a bounded store to drop: the least recently used, counted by bytes. Pure."""

from collections import OrderedDict
from collections.abc import Iterator


class Lru:
    """Keys with their sizes; the sum never exceeds `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.total_bytes = 0
        self._sizes: OrderedDict[bytes, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sizes)

    def __contains__(self, key: bytes) -> bool:
        return key in self._sizes

    def __iter__(self) -> Iterator[bytes]:
        """Go through the keys, the next to be dropped first."""
        return iter(list(self._sizes))

    def touch(self, key: bytes) -> bool:
        """Mark as just used; False when the key is not there."""
        if key not in self._sizes:
            return False
        self._sizes.move_to_end(key)
        return True

    def add(self, key: bytes, size_bytes: int) -> list[bytes] | None:
        """Add a key as just used and return those that must go for it; None when it alone is too large."""
        if size_bytes > self.max_bytes:
            return None
        self.remove(key)
        dropped = []
        while self.total_bytes + size_bytes > self.max_bytes:
            oldest = next(iter(self._sizes))
            self.remove(oldest)
            dropped.append(oldest)
        self._sizes[key] = size_bytes
        self.total_bytes += size_bytes
        return dropped

    def remove(self, key: bytes) -> None:
        """Forget a key, if it is there."""
        self.total_bytes -= self._sizes.pop(key, 0)
