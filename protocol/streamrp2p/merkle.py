"""The shape that the plain tree and the sum tree share. Source: docs/protocol.md section 6."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from streamrp2p.errors import TreeError

Node = TypeVar("Node")


def depth_of(count: int) -> int:
    """Return `ceil(log2(count))`, the number of levels above the leaves; 0 for at most one leaf."""
    return max(count - 1, 0).bit_length()


class Tree(Generic[Node]):
    """A perfect binary tree over `count` leaves, padded to the next power of two; positional.

    Padding is never stored: on each level it is one and the same node, so that 2^n + 1 leaves cost no
    more than their number.
    """

    def __init__(
        self, leaves: Sequence[Node], padding: Node, inner: Callable[[Node, Node], Node]
    ) -> None:
        """Build over `leaves` in their order; `inner` makes a parent of its left and right child."""
        self.count = len(leaves)
        self._levels: list[list[Node]] = [list(leaves)]
        self._padding = [padding]
        for _ in range(depth_of(self.count)):
            level, padding = self._levels[-1], self._padding[-1]
            parents = list(map(inner, level[0::2], level[1::2]))
            if len(level) % 2:
                parents.append(inner(level[-1], padding))
            self._levels.append(parents)
            self._padding.append(inner(padding, padding))

    @property
    def top(self) -> Node:
        """The node at the top; the padding for an empty tree."""
        return self._levels[-1][0] if self.count else self._padding[0]

    @property
    def depth(self) -> int:
        """How many levels are above the leaves."""
        return len(self._levels) - 1

    def node(self, level: int, index: int) -> Node:
        """Return any node, also one over padding; raises TreeError when the tree has none there."""
        if not (0 <= level <= self.depth and 0 <= index < 1 << (self.depth - level)):
            raise TreeError(f"a tree of {self.count} leaves has no node {index} at level {level}")
        nodes = self._levels[level]
        return nodes[index] if index < len(nodes) else self._padding[level]

    def path(self, index: int) -> tuple[Node, ...]:
        """Return the siblings from the leaf up; raises TreeError when there is no such leaf."""
        _check_place(index, self.count)
        return tuple(self.node(level, index >> level ^ 1) for level in range(self.depth))

    def range_path(self, first: int, width: int) -> tuple[Node, ...]:
        """Return what lies beside `width` neighbouring leaves, from the leaves up, on each level left before right.

        Raises TreeError when there are no such leaves.
        """
        _check_range(first, width, self.count)
        beside = []
        left, right = first, first + width - 1
        for level, padding in zip(self._levels[:-1], self._padding, strict=False):
            if left % 2:
                beside.append(level[left - 1])
            if right % 2 == 0:
                beside.append(level[right + 1] if right + 1 < len(level) else padding)
            left, right = left // 2, right // 2
        return tuple(beside)


def range_path_length(first: int, width: int, count: int) -> int:
    """Return how many nodes the range path of such leaves has."""
    return depth_of(count) + first.bit_count() - (first + width - 1).bit_count()


def climb_range(
    leaves: Sequence[Node],
    first: int,
    count: int,
    path: Sequence[Node],
    inner: Callable[[Node, Node], Node],
) -> Node:
    """Return the top that a range path leads to; raises TreeError when place or length cannot be of such a tree."""
    _check_range(first, len(leaves), count)
    needed = range_path_length(first, len(leaves), count)
    if len(path) != needed:
        raise TreeError(
            f"the path of {len(leaves)} leaves from {first} on in a tree of {count} has {needed} nodes, "
            f"got {len(path)}"
        )
    level, beside = list(leaves), iter(path)
    for _ in range(depth_of(count)):
        if first % 2:
            level.insert(0, next(beside))
        if len(level) % 2:
            level.append(next(beside))
        level = list(map(inner, level[0::2], level[1::2]))
        first //= 2
    return level[0]


def climb(
    leaf: Node,
    index: int,
    count: int,
    path: Sequence[Node],
    inner: Callable[[Node, Node], Node],
) -> Node:
    """Return the top that a path leads to; raises TreeError when index or length cannot be of such a tree."""
    _check_place(index, count)
    if len(path) != depth_of(count):
        raise TreeError(
            f"a path in a tree of {count} leaves has {depth_of(count)} siblings, got {len(path)}"
        )
    node = leaf
    for level, sibling in enumerate(path):
        node = inner(sibling, node) if index >> level & 1 else inner(node, sibling)
    return node


def _check_place(index: int, count: int) -> None:
    if not 0 <= index < count:
        raise TreeError(f"leaf {index} is not in a tree of {count} leaves")


def _check_range(first: int, width: int, count: int) -> None:
    if width < 1:
        raise TreeError("a range has at least one leaf")
    _check_place(first, count)
    _check_place(first + width - 1, count)
