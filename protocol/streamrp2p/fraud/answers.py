"""What a poster answers when a part of a tree is demanded. Source: docs/protocol.md section 8."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from streamrp2p.bundle import Bundle
from streamrp2p.claims_tree import claims_tree
from streamrp2p.errors import TreeError
from streamrp2p.fraud.evidence import LEAF_LEVELS, Answer, Chunk, Tree, nodes_level_of
from streamrp2p.merkle import Tree as Merkle
from streamrp2p.numbers import Hash
from streamrp2p.plain_tree import PlainTree
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import nodes_tree, pools_tree, sessions_tree
from streamrp2p.sum_tree import SumNode, SumTree

Leaf = TypeVar("Leaf")
Node = TypeVar("Node")

_SumTreeKey = tuple[Tree, Hash, int, int]


@dataclass(frozen=True, slots=True)
class ProvenAnswer:
    """An answer with the siblings from the chunk's node up: all that its publication needs."""

    answer: Answer
    path: tuple[SumNode, ...] | tuple[Hash, ...]


class AnswerBook:
    """One epoch's trees, ready to answer for every part of them: each is built once, on the first demand."""

    def __init__(self, bundle: Bundle) -> None:
        """Take the bundle that the header was made from."""
        self.bundle = bundle
        self._grown: dict[_SumTreeKey, tuple[SumTree, tuple[bytes, ...]]] = {}

    def answer(self, chunk: Chunk) -> ProvenAnswer:
        """Return what is under the chunk's node.

        Raises TreeError when the bundle has no such tree, or the tree no leaf under such a node.
        """
        if chunk.tree == Tree.CLAIMS:
            claims = self._claims
            _expect(chunk, SumNode(claims.root, 0), claims.count)
            return ProvenAnswer(_under(claims, chunk, self.bundle.claims), _path(claims, chunk))
        key = (chunk.tree, chunk.root, chunk.sum, chunk.count)
        if key not in self._grown:
            self._grown[key] = self._grow(chunk)
        tree, records = self._grown[key]
        return ProvenAnswer(_under(tree, chunk, records), _path(tree, chunk))

    @cached_property
    def _claims(self) -> PlainTree:
        return claims_tree(self.bundle.claims)

    def _grow(self, chunk: Chunk) -> tuple[SumTree, tuple[bytes, ...]]:
        """Build the sum tree. Two rows that commit to the same tree have the same leaves: either will do."""
        committed = (chunk.root, chunk.sum, chunk.count)
        if chunk.tree == Tree.POOLS:
            rows = self.bundle.pool_rows
            return _checked(chunk, pools_tree(rows), [row.encode() for row in rows])
        if chunk.tree == Tree.NODES:
            for pool, nodes in self.bundle.by_pool():
                if (pool.nodes_root, pool.weight, pool.node_count) == committed:
                    return _checked(chunk, nodes_tree(nodes), [row.encode() for row in nodes])
        for _, node, records in self.bundle.by_node():
            if (node.sessions_root, node.weight, node.session_count) == committed:
                weights = [SessionRecord.decode(record).weight for record in records]
                return _checked(chunk, sessions_tree(records, weights), records)
        raise TreeError(f"the bundle has no {_name(chunk)}")


def _checked(
    chunk: Chunk, tree: SumTree, records: Sequence[bytes]
) -> tuple[SumTree, tuple[bytes, ...]]:
    _expect(chunk, tree.top, tree.count)
    return tree, tuple(records)


def _expect(chunk: Chunk, top: SumNode, count: int) -> None:
    if (top, count) != (SumNode(chunk.root, chunk.sum), chunk.count):
        raise TreeError(f"the bundle's leaves do not lead to the {_name(chunk)}")


def _under(
    tree: Merkle[Node], chunk: Chunk, leaves: tuple[Leaf, ...]
) -> tuple[Leaf, ...] | tuple[Node, ...]:
    first = chunk.index << chunk.level
    if first >= chunk.count:
        raise TreeError(f"node {chunk.index} at level {chunk.level} is over padding alone")
    if chunk.level <= LEAF_LEVELS:
        return leaves[first : first + (1 << chunk.level)]
    level = nodes_level_of(chunk.level)
    first >>= level
    number = 1 << chunk.level - level
    return tuple(tree.node(level, index) for index in range(first, first + number))


def _path(tree: Merkle[Node], chunk: Chunk) -> tuple[Node, ...]:
    return tree.path(chunk.index << chunk.level)[chunk.level :]


def _name(chunk: Chunk) -> str:
    return f"{chunk.tree.name.lower()} tree 0x{chunk.root.hex()} of {chunk.count} leaves"
