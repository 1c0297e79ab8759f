"""Nodes within the trees: sums that are not their children's, padding that is not empty, kinds that are mixed up."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from streamrp2p.fraud import kinds as kinds_of_trees
from streamrp2p.fraud.kinds import Kind
from streamrp2p.keccak import keccak
from streamrp2p.merkle import depth_of
from streamrp2p.sum_tree import EMPTY_LEAF, SumNode
from tests.fraud.liar import SUMS, LiarTree, Plan, TreeLie
from tests.fraud.mutant import Mutant, clever, plan, variants
from tests.fraud.scene import NODES

_OTHER = SumNode(keccak(b"something"), 0)
_WORTH = SumNode(keccak(b"something"), 10**9)

Trees = dict[str, tuple[Callable[[Plan], TreeLie], int]]
SUM_TREES: Trees = {
    "pools": (lambda wrong: wrong.tree, 5),
    "nodes": (lambda wrong: wrong.pool(1).tree, 5),
    "sessions": (lambda wrong: wrong.node(1, NODES[0]).tree, 20),
}
CLAIMS: Trees = {"claims": (lambda wrong: wrong.claims_tree, 10)}
"""Each tree with its number of leaves."""


def node_mutants() -> Iterator[Mutant]:
    """Yield them."""
    for tree, (of, count) in SUM_TREES.items():
        yield from _stated_sums(tree, of, count)
        yield from _leaf_sums(tree, of, count)
    for tree, (of, count) in (SUM_TREES | CLAIMS).items():
        yield from _padding(tree, of, count)
        yield from _nothing(tree, of, count)
        yield from _mixed_up(tree, of, count)
    yield from _single_leaves()
    yield from _counts()


def _places(count: int) -> Iterator[tuple[int, int]]:
    """Yield the first, a middle and the last node of each level below the top."""
    for level in range(depth_of(count)):
        width = -(-count >> level)
        for index in sorted({0, width // 2, width - 1}):
            yield level, index


def _stated_sums(tree: str, of: Callable[[Plan], TreeLie], count: int) -> Iterator[Mutant]:
    for level, index in _places(count):
        for step in (1, -1, 1 << 127):
            wrong = plan()
            of(wrong).stated[level, index] = _shifted(step)
            name = f"level {level}, node {index}, {step:+}"
            yield from variants(f"{tree}: stated sum", name, wrong)
        # What one node has too much its neighbour has too little: nothing shows at the top.
        wrong = plan()
        of(wrong).stated |= {(level, index): _shifted(1), (level, index ^ 1): _shifted(-1)}
        name = f"level {level}, node {index} and its sibling"
        yield from variants(f"{tree}: two stated sums", name, wrong)


def _leaf_sums(tree: str, of: Callable[[Plan], TreeLie], count: int) -> Iterator[Mutant]:
    honest = _weights(tree)
    for index in sorted({0, count // 2, count - 1}):
        for step in (1, -1):
            wrong = plan()
            if honest[index] + step < 0:
                continue
            of(wrong).sums[index] = honest[index] + step
            yield from variants(f"{tree}: leaf sum", f"leaf {index}, {step:+}", wrong)
        wrong = plan()
        of(wrong).sums[index] = honest[index] + 1
        of(wrong).stated[0, index] = _shifted(-1)
        yield from variants(f"{tree}: leaf sum", f"leaf {index}, within alone", wrong)


def _padding(tree: str, of: Callable[[Plan], TreeLie], count: int) -> Iterator[Mutant]:
    for level in range(depth_of(count)):
        first, last = -(-count >> level), (1 << (depth_of(count) - level)) - 1
        for index in sorted({first, last}) if first <= last else ():
            for name, node in {
                "a hash": _OTHER,
                "a sum": None,
                "both": _WORTH,
            }.items():
                if tree == "claims" and name != "a hash":
                    continue
                wrong = plan()
                of(wrong).stated[level, index] = _as(node)
                yield from variants(
                    f"{tree}: padding", f"level {level}, node {index}: {name}", wrong
                )


def _nothing(tree: str, of: Callable[[Plan], TreeLie], count: int) -> Iterator[Mutant]:
    """Yield nodes over leaves that are empty, or stand for what nobody has."""
    for level, index in _places(count):
        for name, node in {"empty": EMPTY_LEAF, "unknown": _OTHER}.items():
            wrong = plan()
            of(wrong).stated[level, index] = _as(node)
            yield from variants(f"{tree}: {name} node", f"level {level}, node {index}", wrong)


def _mixed_up(tree: str, of: Callable[[Plan], TreeLie], count: int) -> Iterator[Mutant]:
    """Yield inner nodes in the place of leaves, and leaves in that of inner nodes, with their own sums."""
    built = _built(tree)
    for level, index in _places(count):
        other = built.levels[0 if level else 1][index if level else index >> 1]
        wrong = plan()
        of(wrong).stated[level, index] = _as(other)
        kind = "leaf as inner node" if level else "inner node as leaf"
        yield from variants(f"{tree}: {kind}", f"level {level}, node {index}", wrong)


def _built(tree: str) -> LiarTree:
    """Return the honest tree."""
    bundle = plan().epoch.settled.bundle
    kinds: dict[str, tuple[Kind[Any], Sequence[Any]]] = {
        "pools": (kinds_of_trees.POOLS, bundle.pool_rows),
        "nodes": (kinds_of_trees.NODES, bundle.node_rows[:5]),
        "sessions": (kinds_of_trees.SESSIONS, plan().node(1, NODES[0]).sessions),
        "claims": (kinds_of_trees.CLAIMS, bundle.claims),
    }
    return TreeLie().build(*kinds[tree])


def _single_leaves() -> Iterator[Mutant]:
    """Yield trees of one leaf, whose top is a leaf: its sum is in its hash and in the row above."""
    for name, step in (("more", 1), ("less", -1)):
        wrong = plan()
        node = wrong.node(1, NODES[2])
        node.tree.sums[0] = node.sessions[0].weight + step
        yield from variants("sessions: leaf sum", f"the only leaf, {name}", wrong)
        wrong = plan()
        pool = wrong.pool(5)
        pool.tree.sums[0] = wrong.node(5, NODES[1]).sessions[0].weight + step
        yield from variants("nodes: leaf sum", f"the only leaf, {name}", wrong)
    wrong = plan()
    wrong.pool(3).fields["weight"] = 1
    yield clever("nodes: sum of an empty tree", "weight", wrong)
    wrong = plan()
    wrong.pool(3).fields["nodes_root"] = _OTHER.hash
    yield clever("nodes: top of an empty tree", "root", wrong)
    wrong = plan()
    wrong.pool(3).fields["node_count"] = 1
    yield clever("nodes: top of an empty tree", "count", wrong)
    # Two weights that overflow, so that the pool looks light.
    wrong = plan()
    for address in (NODES[0], NODES[2]):
        wrong.node(6, address).fields["weight"] = SUMS // 2 + 5
    yield from variants("nodes: sums that overflow", "two rows", wrong)


def _counts() -> Iterator[Mutant]:
    """Yield counts that make inner nodes leaves, leaves inner nodes, or padding of leaves."""
    pools, claims = ("pool_count", 5), ("claim_count", 10)
    for tree, (name, count) in (("pools", pools), ("claims", claims)):
        for other in (0, 1, 2, count // 2, count - 1, count + 1, 2 * count, 64, 2**32 - 1):
            wrong = plan()
            wrong.header[name] = other
            yield clever(f"{tree}: count", f"{count} as {other}", wrong)
    for other in (0, 1, 2, 3, 4, 6, 8, 9, 64, 2**32 - 1):
        wrong = plan()
        wrong.pool(1).fields["node_count"] = other
        yield from variants("nodes: count", f"5 as {other}", wrong)
    for other in (0, 1, 2, 10, 16, 19, 21, 32, 33, 2**32 - 1):
        wrong = plan()
        wrong.node(1, NODES[0]).fields["session_count"] = other
        yield from variants("sessions: count", f"20 as {other}", wrong)


def _weights(tree: str) -> list[int]:
    bundle = plan().epoch.settled.bundle
    if tree == "pools":
        return [row.weight for row in bundle.pool_rows]
    if tree == "nodes":
        return [row.weight for row, _ in zip(bundle.node_rows, range(5), strict=False)]
    return [record.weight for record in plan().node(1, NODES[0]).sessions]


def _shifted(step: int) -> Callable[[SumNode], SumNode]:
    return lambda node: SumNode(node.hash, (node.sum + step) % SUMS)


def _as(node: SumNode | None) -> Callable[[SumNode], SumNode]:
    """State another node, or None for another sum alone."""
    return lambda old: SumNode(old.hash, 7) if node is None else node
