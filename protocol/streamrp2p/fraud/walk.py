"""The way down a committed tree, as far as its hashes are known: what cannot stand in it is met on the way."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from streamrp2p.fraud.preimages import Preimages
from streamrp2p.merkle import depth_of
from streamrp2p.numbers import ZERO_HASH
from streamrp2p.sum_tree import EMPTY_LEAF, SumNode

Path = tuple[SumNode, ...]

MOST_TIMES = 2
"""So often the same node is looked into: a liar repeats parts of a tree, up to 2^32 leaves, for a hash each.

The second time is enough. What is left of the first node that is passed over was looked at, so two equal leaves and all
between them: somewhere there keys do not rise, if nothing there is bad or unknown.
"""


@dataclass(frozen=True, slots=True)
class BadNode:
    """A node that cannot stand where it does, all above it being right; what its hash is of shows it."""

    level: int
    index: int
    node: SumNode
    path: Path
    preimage: bytes


class Walk:
    """What is met in a tree of `count` leaves: leaves as `(record, sum, path)` by index, bad nodes, unknown nodes.

    Nothing is met below a bad node: what is there has no path that adds up.
    """

    def __init__(self, preimages: Preimages[Any], count: int) -> None:
        """Take what is known."""
        self.leaves: dict[int, tuple[bytes, int, Path]] = {}
        self.bad: list[BadNode] = []
        self.unknown: list[tuple[int, int]] = []
        self._known = preimages
        self._count = count
        self._todo: list[tuple[int, int, SumNode, Path]] = []
        self._times: Counter[tuple[int, SumNode]] = Counter()

    def from_top(self, top: SumNode) -> None:
        """Walk from the top to the right, depth first."""
        if self._count == 0:
            if top != EMPTY_LEAF:
                self.bad.append(BadNode(0, 0, top, (), b""))
            return
        self._todo.append((depth_of(self._count), 0, top, ()))
        while self._todo:
            self._visit(*self._todo.pop())

    def _visit(self, level: int, index: int, node: SumNode, path: Path) -> None:
        padding = self._known.padding(level)
        if index << level >= self._count:
            if node != padding:
                self.bad.append(BadNode(level, index, node, path, b""))
        elif node.hash == ZERO_HASH:
            # Nothing hashes to it, whatever sum stands beside it: at best it is an empty leaf.
            self.bad.append(BadNode(level, index, node, path, b""))
        elif node == padding:
            # The first leaf under it is below the count, and empty.
            down = tuple(self._known.padding(below) for below in range(level))
            self.bad.append(BadNode(0, index << level, EMPTY_LEAF, down + path, b""))
        elif self._is_worn(level, node):
            return
        elif node.hash in self._known.children:
            self._visit_inner(level, index, node, path)
        elif node.hash in self._known.leaves:
            self._visit_leaf(level, index, node, path)
        else:
            self.unknown.append((level, index))

    def _is_worn(self, level: int, node: SumNode) -> bool:
        self._times[level, node] += 1
        return self._times[level, node] > MOST_TIMES

    def _visit_inner(self, level: int, index: int, node: SumNode, path: Path) -> None:
        left, right = self._known.children[node.hash]
        if level == 0 or left.sum + right.sum != node.sum:
            preimage = self._known.kind.inner_preimage(left, right)
            self.bad.append(BadNode(level, index, node, path, preimage))
            return
        self._todo.append((level - 1, 2 * index + 1, right, (left, *path)))
        self._todo.append((level - 1, 2 * index, left, (right, *path)))

    def _visit_leaf(self, level: int, index: int, node: SumNode, path: Path) -> None:
        kind = self._known.kind
        record, weight = self._known.leaves[node.hash]
        if level > 0 or weight != node.sum:
            preimage = kind.leaf_preimage(record, weight)
            self.bad.append(BadNode(level, index, node, path, preimage))
        elif kind.is_row and kind.weight(kind.read(record)) != weight:
            # Not so a session: its record alone shows that it is a bad one.
            self.bad.append(BadNode(level, index, node, path, record))
        else:
            self.leaves[index] = (record, weight, path)
