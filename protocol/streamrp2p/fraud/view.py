"""One committed tree as far as it is known: leaves with their paths, nodes that cannot stand, what is unknown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Generic

from streamrp2p.fraud.evidence import Answer, Chunk, RecordLeaf
from streamrp2p.fraud.kinds import Kind, Row
from streamrp2p.fraud.preimages import Preimages, leaf_of, parent_of
from streamrp2p.fraud.walk import BadNode, Path, Walk
from streamrp2p.merkle import Tree as MerkleTree
from streamrp2p.plain_tree import first_unordered, neighbours_of, shows_absence
from streamrp2p.receipt import SessionRecord
from streamrp2p.sum_tree import EMPTY_LEAF, SumNode

MAX_SHOWN_BYTES = 1 << 14
"""Four records of this length fit a transaction that nodes of the chain pass on. Only a claim can be longer, and no
honest one: an answer has 256 entries of it at most, so whoever demands it gets none."""


@dataclass(frozen=True, slots=True)
class Leaf(Generic[Row]):
    """A leaf that leads to the committed top. `sum` is the tree's, which a session's weight may not be."""

    index: int
    row: Row
    record: bytes
    sum: int
    path_of: Callable[[int], Path]
    is_sound: bool = True
    """Whether the chain can be shown the leaf by its record alone: it is not too long, and `sum` is what it says."""

    @property
    def path(self) -> Path:
        """The siblings from the leaf up."""
        return self.path_of(self.index)

    def words(self) -> RecordLeaf:
        """Return the leaf as the ABI has it."""
        return RecordLeaf(self.record, self.index, self.path)


@dataclass
class View(Generic[Row]):
    """What is known of a tree of `count` leaves under `top`. `above` are the rows that lead to it."""

    kind: Kind[Row]
    above: tuple[RecordLeaf, ...]
    where: str
    top: SumNode
    count: int
    leaves: list[Leaf[Row]] = field(default_factory=list)
    bad: list[BadNode] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)

    @cached_property
    def too_long(self) -> list[int]:
        """The indices of the known leaves that no transaction holds."""
        return [leaf.index for leaf in self.leaves if len(leaf.record) > MAX_SHOWN_BYTES]

    @cached_property
    def keys(self) -> list[Any]:
        """The keys of the known leaves, in their order."""
        return [self.kind.key(leaf.row) for leaf in self.leaves]

    @cached_property
    def by_key(self) -> dict[Any, Leaf[Row]]:
        """The first known leaf of each key."""
        return dict(zip(self.keys[::-1], self.leaves[::-1], strict=True))

    def shown(self, key: Any) -> tuple[Leaf[Row], ...] | None:  # noqa: ANN401 - an int or bytes
        """Return the leaves that show what stands under a key, or None where the known ones show nothing."""
        if key in self.by_key:
            return (self.by_key[key],)
        if not self._rises:
            return None
        near = tuple(self.leaves[index] for index in neighbours_of(self.keys, key))
        for some in (near, near[:1], near[1:]):
            shown = [(leaf.index, self.kind.key(leaf.row)) for leaf in some]
            if shows_absence(key, self.count, shown):
                return some
        return None

    def chunk(self, level: int, index: int) -> Chunk:
        """Name what is under one node."""
        return Chunk(self.kind.tree, self.top.hash, self.top.sum, self.count, level, index)

    @cached_property
    def _rises(self) -> bool:
        return first_unordered(self.keys) is None


def view_of(
    kind: Kind[Row],
    where: str,
    top: SumNode,
    count: int,
    rows: Sequence[Row],
    above: tuple[RecordLeaf, ...] = (),
    answers: Mapping[Chunk, Answer] | None = None,
) -> View[Row]:
    """See a committed tree by the leaves that its poster published for it, and by what demands brought to light."""
    view = View(kind, above, where, top, count)
    records = [kind.encode(row) for row in rows]
    weights = [kind.weight(row) for row in rows]
    nodes = [leaf_of(kind, record, weight) for record, weight in zip(records, weights, strict=True)]
    tree = MerkleTree(nodes, EMPTY_LEAF, lambda left, right: parent_of(kind, left, right))
    if tree.count == count and tree.top == top and sum(weights) == top.sum:
        view.leaves = [
            Leaf(index, row, record, weight, tree.path, _is_sound(kind, row, record, weight))
            for index, (row, record, weight) in enumerate(zip(rows, records, weights, strict=True))
        ]
        return view
    preimages = Preimages(kind)
    for chunk, answer in (answers or {}).items():
        if (chunk.tree, chunk.root, chunk.sum, chunk.count) == (kind.tree, *top, count):
            preimages.add_answer(chunk, answer)
    tree = preimages.add_leaves(rows)
    if top.hash not in preimages.children and top.hash not in preimages.leaves:
        preimages.add_wrong_sum(tree, rows, top)
    walk = Walk(preimages, count)
    walk.from_top(top)
    view.bad, view.unknown = walk.bad, walk.unknown
    for index, (record, weight, path) in walk.leaves.items():
        row = kind.read(record)
        sound = _is_sound(kind, row, record, weight)
        view.leaves.append(Leaf(index, row, record, weight, partial(_known, path), sound))
    return view


def _known(path: Path, _: int) -> Path:
    return path


def _is_sound(kind: Kind[Row], row: Row, record: bytes, weight: int) -> bool:
    if kind.weight(row) != weight or len(record) > MAX_SHOWN_BYTES:
        return False
    return not (
        isinstance(row, SessionRecord) and row.receipt.bytes_on_time > row.receipt.bytes_delivered
    )
