"""The plain Merkle tree: positional, padded with 0. Source: docs/protocol.md section 6."""

from bisect import bisect_left
from collections.abc import Sequence

from streamrp2p.errors import TreeError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import ZERO_HASH, Hash


def depth_of(count: int) -> int:
    """Return `ceil(log2(count))`, the number of levels above the leaves; 0 for at most one leaf."""
    return max(count - 1, 0).bit_length()


def check_place(index: int, count: int) -> None:
    """Raise TreeError unless `index` is a leaf of a tree of `count` leaves."""
    if not 0 <= index < count:
        raise TreeError(f"leaf {index} is not in a tree of {count} leaves")


def check_rising(keys: Sequence[bytes | int], what: str) -> None:
    """Raise TreeError at the first two neighbouring keys that do not rise strictly (so also at a duplicate)."""
    index = first_unordered(keys)
    if index is not None:
        raise TreeError(f"{what} keys must rise strictly, but do not at leaf {index}")


def first_unordered(keys: Sequence[bytes | int]) -> int | None:
    """Return the index of the first key that is not above its predecessor, or None."""
    for index in range(1, len(keys)):
        if not keys[index - 1] < keys[index]:  # type: ignore[operator]
            return index
    return None


class PlainTree:
    """A built tree over 32-byte leaves."""

    def __init__(self, leaves: Sequence[Hash]) -> None:
        """Build over the leaves in the given order."""
        self.count = len(leaves)
        self._levels: list[list[Hash]] = [list(leaves)]
        self._padding = [ZERO_HASH]
        for _ in range(depth_of(self.count)):
            level, padding = self._levels[-1], self._padding[-1]
            pairs = level + [padding] if len(level) % 2 else level
            self._levels.append([keccak(pairs[i] + pairs[i + 1]) for i in range(0, len(pairs), 2)])
            self._padding.append(keccak(padding + padding))

    @property
    def root(self) -> Hash:
        """The root; 0 for an empty tree."""
        return self._levels[-1][0] if self.count else ZERO_HASH

    def path(self, index: int) -> tuple[Hash, ...]:
        """Return the siblings from the leaf up; raises TreeError when there is no such leaf."""
        check_place(index, self.count)
        siblings = []
        for level, padding in zip(self._levels[:-1], self._padding, strict=False):
            sibling = index ^ 1
            siblings.append(level[sibling] if sibling < len(level) else padding)
            index >>= 1
        return tuple(siblings)


def root_of_path(leaf: Hash, index: int, count: int, path: Sequence[Hash]) -> Hash:
    """Return the root that a path leads to; raises TreeError when index or length cannot be of such a tree."""
    check_place(index, count)
    if len(path) != depth_of(count):
        raise TreeError(
            f"a path in a tree of {count} leaves has {depth_of(count)} siblings, got {len(path)}"
        )
    node = leaf
    for level, sibling in enumerate(path):
        node = keccak(sibling + node) if index >> level & 1 else keccak(node + sibling)
    return node


def neighbours_of(keys: Sequence[bytes], missing: bytes) -> tuple[int, ...]:
    """Return the indices of the one or two leaves that show the absence of `missing` among rising `keys`.

    Raises TreeError when the key is present. An empty tree needs no leaf: `()`.
    """
    place = bisect_left(keys, missing)
    if place < len(keys) and keys[place] == missing:
        raise TreeError(f"key 0x{missing.hex()} is present at leaf {place}")
    return tuple(index for index in (place - 1, place) if 0 <= index < len(keys))


def shows_absence(missing: bytes, count: int, shown: Sequence[tuple[int, bytes]]) -> bool:
    """Tell whether proven leaves `(index, key)` show that `missing` is not in a tree of `count` leaves."""
    match list(shown):
        case []:
            return count == 0
        case [(index, key)]:
            return (index == 0 and missing < key) or (index == count - 1 and key < missing)
        case [(left_index, left), (right_index, right)]:
            return right_index == left_index + 1 and left < missing < right
    return False
