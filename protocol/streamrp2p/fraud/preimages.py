"""What hashes of one tree stand for, as far as anybody has said: leaves of a bundle, and answers to demands.

Nothing is believed: a node is what its hash is of. So a tree can be walked from its committed top, whatever its poster
published, and what cannot stand in it is met on the way.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic

from streamrp2p.fraud.evidence import LEAF_LEVELS, Answer, Chunk, nodes_level_of
from streamrp2p.fraud.kinds import Kind, Row
from streamrp2p.keccak import keccak
from streamrp2p.merkle import Tree as MerkleTree
from streamrp2p.sum_tree import EMPTY_LEAF, SumNode

SUMS = 1 << 128
MAX_SEARCHED_LEAVES = 1 << 14
"""In larger trees no wrong sum is looked for: a demand finds it as well. The search takes seconds at that size."""


class Preimages(Generic[Row]):
    """A growing store of preimages of one tree's hashes."""

    def __init__(self, kind: Kind[Row]) -> None:
        """Know nothing but the padding."""
        self.kind = kind
        self.children: dict[bytes, tuple[SumNode, SumNode]] = {}
        self.leaves: dict[bytes, tuple[bytes, int]] = {}
        self._padding = [EMPTY_LEAF]

    def padding(self, level: int) -> SumNode:
        """Return the node over padding alone."""
        while len(self._padding) <= level:
            self._padding.append(parent_of(self.kind, self._padding[-1], self._padding[-1]))
        return self._padding[level]

    def add_leaf(self, record: bytes, weight: int) -> SumNode:
        """Learn a leaf."""
        node = leaf_of(self.kind, record, weight)
        self.leaves[node.hash] = (record, weight)
        return node

    def add_parent(self, left: SumNode, right: SumNode) -> SumNode:
        """Learn an inner node."""
        node = parent_of(self.kind, left, right)
        self.children[node.hash] = (left, right)
        return node

    def add_leaves(self, rows: Sequence[Row]) -> MerkleTree[SumNode]:
        """Learn the tree over these leaves and return it."""
        nodes = [self.add_leaf(self.kind.encode(row), self.kind.weight(row)) for row in rows]
        return MerkleTree(nodes, EMPTY_LEAF, self.add_parent)

    def add_answer(self, chunk: Chunk, answer: Answer) -> None:
        """Learn what a chunk was answered with."""
        nodes = list(self._nodes_of(chunk, answer))
        level = 0 if chunk.level <= LEAF_LEVELS else nodes_level_of(chunk.level)
        while level < chunk.level:
            if len(nodes) % 2:
                nodes.append(self.padding(level))
            nodes = list(map(self.add_parent, nodes[0::2], nodes[1::2]))
            level += 1

    def add_wrong_sum(self, tree: MerkleTree[SumNode], rows: Sequence[Row], top: SumNode) -> None:
        """Learn the committed tree if it is `tree` but for one sum: of a node in its parent, or within a leaf."""
        excess = (top.sum - tree.top.sum) % SUMS
        if not excess or tree.count > MAX_SEARCHED_LEAVES:
            return
        for level, index, node in _places(tree):
            shifted = SumNode(node.hash, (node.sum + excess) % SUMS)
            if self._try(tree, level, index, shifted, top):
                return
        for index, row in enumerate(rows):
            record, weight = self.kind.encode(row), (self.kind.weight(row) + excess) % SUMS
            if self._try(tree, 0, index, leaf_of(self.kind, record, weight), top):
                self.add_leaf(record, weight)
                return

    def _nodes_of(self, chunk: Chunk, answer: Answer) -> Iterable[SumNode]:
        for part in answer:
            match part:
                case SumNode():
                    yield part
                case bytes() if chunk.level > LEAF_LEVELS:
                    yield SumNode(part, 0)  # type: ignore[arg-type]  # a hash of the claims tree
                case bytes():
                    yield self.add_leaf(part, self.kind.weight(self.kind.read(part)))
                case _:
                    yield self.add_leaf(part.record(), 0)

    def _try(
        self, tree: MerkleTree[SumNode], level: int, index: int, node: SumNode, top: SumNode
    ) -> bool:
        pairs = []
        for above in range(level, tree.depth):
            sibling = tree.node(above, index ^ 1)
            pairs.append((sibling, node) if index & 1 else (node, sibling))
            node, index = parent_of(self.kind, *pairs[-1]), index >> 1
        if node.hash != top.hash:
            return False
        for pair in pairs:
            self.add_parent(*pair)
        return True


def leaf_of(kind: Kind[Row], record: bytes, weight: int) -> SumNode:
    """Return the leaf of a record."""
    return SumNode(keccak(kind.leaf_preimage(record, weight)), weight)


def parent_of(kind: Kind[Row], left: SumNode, right: SumNode) -> SumNode:
    """Return the parent, of whose sum an overflow is cut off as a liar would; what overflows is told by the total."""
    return SumNode(keccak(kind.inner_preimage(left, right)), (left.sum + right.sum) % SUMS)


def _places(tree: MerkleTree[SumNode]) -> Iterator[tuple[int, int, SumNode]]:
    for level in range(tree.depth):
        width = -(-tree.count >> level)
        for index in range(width + width % 2):
            yield level, index, tree.node(level, index)
