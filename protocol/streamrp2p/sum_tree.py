"""The sum tree: a Merkle tree whose nodes also carry the sum of their leaves. Source: docs/protocol.md section 6."""

from collections.abc import Sequence
from typing import NamedTuple

from streamrp2p.errors import TreeError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import ZERO_HASH, Hash
from streamrp2p.plain_tree import check_place, depth_of

MAX_SUM = (1 << 128) - 1


class SumNode(NamedTuple):
    """A tree node: its hash and the sum of the leaves below it."""

    hash: Hash
    sum: int


EMPTY_LEAF = SumNode(ZERO_HASH, 0)


def leaf_node(digest: Hash, weight: int) -> SumNode:
    """Return the leaf `keccak(0x00 ‖ digest ‖ uint128 sum)` with its sum; raises TreeError beyond uint128."""
    return SumNode(keccak(b"\x00" + digest + _u128(weight)), weight)


def inner_node(left: SumNode, right: SumNode) -> SumNode:
    """Return the parent of two nodes; raises TreeError when the sum overflows uint128."""
    total = left.sum + right.sum
    _u128(total)
    return SumNode(
        keccak(b"\x01" + left.hash + _u128(left.sum) + right.hash + _u128(right.sum)),
        total,
    )


class SumTree:
    """A built tree. `levels[0]` are the leaves without padding, the last level is the top alone."""

    def __init__(self, leaves: Sequence[SumNode]) -> None:
        """Build over leaves made by `leaf_node`, in rising order of their keys (the caller's duty: `check_rising`)."""
        self.count = len(leaves)
        self._levels: list[list[SumNode]] = [list(leaves)]
        self._padding = [EMPTY_LEAF]
        for _ in range(depth_of(self.count)):
            level, padding = self._levels[-1], self._padding[-1]
            pairs = level + [padding] if len(level) % 2 else level
            self._levels.append(
                [inner_node(pairs[i], pairs[i + 1]) for i in range(0, len(pairs), 2)]
            )
            self._padding.append(inner_node(padding, padding))

    @property
    def top(self) -> SumNode:
        """The root hash and the total; `(0, 0)` for an empty tree."""
        return self._levels[-1][0] if self.count else EMPTY_LEAF

    def path(self, index: int) -> tuple[SumNode, ...]:
        """Return the siblings from the leaf up; raises TreeError when there is no such leaf."""
        check_place(index, self.count)
        siblings = []
        for level, padding in zip(self._levels[:-1], self._padding, strict=False):
            sibling = index ^ 1
            siblings.append(level[sibling] if sibling < len(level) else padding)
            index >>= 1
        return tuple(siblings)


def top_of_path(leaf: SumNode, index: int, count: int, path: Sequence[SumNode]) -> SumNode:
    """Return the top that a path leads to; raises TreeError when index, length or a sum cannot be of such a tree."""
    check_place(index, count)
    if len(path) != depth_of(count):
        raise TreeError(
            f"a path in a tree of {count} leaves has {depth_of(count)} siblings, got {len(path)}"
        )
    node = leaf
    for level, sibling in enumerate(path):
        node = inner_node(sibling, node) if index >> level & 1 else inner_node(node, sibling)
    return node


def _u128(value: int) -> bytes:
    if not 0 <= value <= MAX_SUM:
        raise TreeError(f"sum {value} does not fit uint128")
    return value.to_bytes(16)
