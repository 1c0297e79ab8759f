"""How a mutant falls, by the pure finder alone: the steps that the same game on a real chain must take as well."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.errors import StreamrP2PError
from streamrp2p.fraud import (
    LEAF_LEVELS,
    Answer,
    Chunk,
    Demand,
    Fraud,
    Published,
    Tree,
    find_frauds,
    nodes_level_of,
)
from streamrp2p.fraud.answers import ProvenAnswer
from streamrp2p.keccak import keccak
from streamrp2p.numbers import MAX_POOLS_PER_ACCOUNT, Hash
from streamrp2p.plain_tree import inner_preimage
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import NodeRow, PoolRow
from streamrp2p.sum_tree import EMPTY_LEAF, SumNode, inner_node, leaf_node
from tests.fraud.mutant import Mutant

MOST_STEPS = 40
MOST_LEVELS = 32


@dataclass
class Game:
    """One mutant's fall. `demands` counts those that were answered before; `proof` is None while nothing is found."""

    mutant: Mutant
    answers: dict[Chunk, Answer] = field(default_factory=dict)

    def next_step(self) -> Fraud | Demand | None:
        """Return the first transaction that anyone can send."""
        return next(find_frauds(self.mutant.evidence(), Published(self.answers)), None)


@dataclass(frozen=True, slots=True)
class Fall:
    """What voids a mutant: a proof's entry point or `expire`, after so many demands (the expired one included)."""

    proof: str
    function: str
    demands: int


def play(mutant: Mutant) -> Fall | None:
    """Return how the mutant falls, None if nothing is found."""
    game = Game(mutant)
    for demands in range(MOST_STEPS):
        step = game.next_step()
        if step is None:
            return None
        if isinstance(step, Fraud):
            return Fall(step.proof, step.function, demands)
        proven = mutant.answer(step.chunk)
        if proven is None or not is_valid(step.chunk, proven):
            return Fall("Withheld", "expire", demands + 1)
        game.answers[step.chunk] = proven.answer
    raise AssertionError(f"{mutant.name} still stands after {MOST_STEPS} steps")


def is_valid(chunk: Chunk, proven: ProvenAnswer) -> bool:
    """Tell whether the chain would accept an answer."""
    try:
        return _is_valid(chunk, proven)
    except StreamrP2PError:
        return False


def _is_valid(chunk: Chunk, proven: ProvenAnswer) -> bool:
    is_claims = chunk.tree is Tree.CLAIMS
    paddings = [EMPTY_LEAF]
    for level in range(MOST_LEVELS):
        paddings.append(_parent(is_claims, paddings[level], paddings[level]))
    nodes, level = _nodes(chunk, proven.answer), 0
    if chunk.level > LEAF_LEVELS:
        level = nodes_level_of(chunk.level)
    width = 1 << (chunk.level - level)
    first = chunk.index * width
    below_count = -(-chunk.count >> level) - first
    if len(nodes) != (width if level else min(width, below_count)):
        return False
    nodes += [paddings[level]] * (width - len(nodes))
    if any(node != paddings[level] for node in nodes[max(below_count, 0) :]):
        return False
    while len(nodes) > 1:
        nodes = [_parent(is_claims, *pair) for pair in zip(nodes[0::2], nodes[1::2], strict=True)]
    node, index = nodes[0], chunk.index
    for level, sibling in enumerate(_as_nodes(proven.path), chunk.level):
        if (index ^ 1) << level >= chunk.count and sibling != paddings[level]:
            return False
        node = _parent(is_claims, *((sibling, node) if index & 1 else (node, sibling)))
        index >>= 1
    return node == SumNode(chunk.root, chunk.sum)


def _nodes(chunk: Chunk, answer: Answer) -> list[SumNode]:
    """Return the nodes of an answer, without those that no answer may have."""
    if chunk.level > LEAF_LEVELS:
        return _as_nodes(answer)
    nodes = []
    for part in answer:
        if isinstance(part, ClaimLeaf):
            if len(part.entries) <= MAX_POOLS_PER_ACCOUNT:
                nodes.append(SumNode(part.leaf(), 0))
        elif isinstance(part, bytes) and _weight(chunk.tree, part) is not None:
            nodes.append(leaf_node(keccak(part), _weight(chunk.tree, part) or 0))
    return nodes


def _weight(tree: Tree, record: bytes) -> int | None:
    """Return a record's weight, None where it has none."""
    if tree is Tree.POOLS:
        return PoolRow.decode(record).weight
    if tree is Tree.NODES:
        return NodeRow.decode(record).weight
    session = SessionRecord.decode(record)
    is_possible = session.receipt.bytes_on_time <= session.receipt.bytes_delivered
    return session.weight if is_possible else None


def _as_nodes(parts: Sequence[object]) -> list[SumNode]:
    return [part if isinstance(part, SumNode) else SumNode(Hash(part), 0) for part in parts]  # type: ignore[arg-type]


def _parent(is_claims: bool, left: SumNode, right: SumNode) -> SumNode:
    if is_claims:
        return SumNode(keccak(inner_preimage(left.hash, right.hash)), 0)
    return inner_node(left, right)
