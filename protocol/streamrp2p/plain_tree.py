"""The plain Merkle tree: positional, padded with 0. Source: docs/protocol.md section 6."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import TypeVar

from streamrp2p.errors import TreeError
from streamrp2p.keccak import keccak
from streamrp2p.merkle import Tree, climb, climb_range
from streamrp2p.numbers import ZERO_HASH, Hash

Key = TypeVar("Key", bytes, int)


def check_rising(keys: Sequence[Key], what: str) -> None:
    """Raise TreeError at the first two neighbouring keys that do not rise strictly (so also at a duplicate)."""
    index = first_unordered(keys)
    if index is not None:
        raise TreeError(f"{what} keys must rise strictly, but do not at leaf {index}")


def first_unordered(keys: Sequence[Key]) -> int | None:
    """Return the index of the first key that is not above its predecessor, or None."""
    for index in range(1, len(keys)):
        if not keys[index - 1] < keys[index]:
            return index
    return None


class PlainTree(Tree[Hash]):
    """A built tree over 32-byte leaves."""

    def __init__(self, leaves: Sequence[Hash]) -> None:
        """Build over the leaves in the given order."""
        super().__init__(leaves, ZERO_HASH, _inner)

    @property
    def root(self) -> Hash:
        """The root; 0 for an empty tree."""
        return self.top


def root_of_path(leaf: Hash, index: int, count: int, path: Sequence[Hash]) -> Hash:
    """Return the root that a path leads to; raises TreeError when index or length cannot be of such a tree."""
    return climb(leaf, index, count, path, _inner)


def root_of_range(leaves: Sequence[Hash], first: int, count: int, path: Sequence[Hash]) -> Hash:
    """Return the root that the range path of neighbouring leaves leads to; raises TreeError as `root_of_path` does."""
    return climb_range(leaves, first, count, path, _inner)


def neighbours_of(keys: Sequence[Key], missing: Key) -> tuple[int, ...]:
    """Return the indices of the one or two leaves that show the absence of `missing` among rising `keys`.

    Raises TreeError when the key is present. An empty tree needs no leaf: `()`.
    """
    place = bisect_left(keys, missing)
    if place < len(keys) and keys[place] == missing:
        name = missing if isinstance(missing, int) else f"0x{missing.hex()}"
        raise TreeError(f"key {name} is present at leaf {place}")
    return tuple(index for index in (place - 1, place) if 0 <= index < len(keys))


def shows_absence(missing: Key, count: int, shown: Sequence[tuple[int, Key]]) -> bool:
    """Tell whether proven leaves `(index, key)` show that `missing` is not in a tree of `count` leaves.

    The caller has checked each leaf's path for that index and count.
    """
    match list(shown):
        case []:
            return count == 0
        case [(index, key)]:
            return (index == 0 and missing < key) or (index == count - 1 and key < missing)
        case [(left_index, left), (right_index, right)]:
            return right_index == left_index + 1 and left < missing < right
    return False


def inner_preimage(left: Hash, right: Hash) -> bytes:
    """Return the 64 bytes whose hash is the parent's."""
    return left + right


def _inner(left: Hash, right: Hash) -> Hash:
    return keccak(inner_preimage(left, right))
