"""What is seen of a tree whose poster stated something wrong in it, by its leaves alone."""

import pytest

from streamrp2p.fraud import preimages
from streamrp2p.fraud.kinds import NODES
from streamrp2p.fraud.preimages import Preimages
from streamrp2p.fraud.view import View, view_of
from streamrp2p.fraud.walk import Walk
from streamrp2p.numbers import Address, Hash
from streamrp2p.records import NodeRow
from streamrp2p.sum_tree import SumNode
from tests.fraud.liar import Stated, TreeLie

ROWS = [
    NodeRow(Address(bytes([number]) * 20), Hash(bytes(32)), 1, 10 * number, 0)
    for number in range(1, 6)
]


def seen(lie: TreeLie) -> View[NodeRow]:
    """Return what anybody sees who has the rows."""
    return view_of(NODES, "nodes", lie.build(NODES, ROWS).top, len(ROWS), ROWS)


def more(node: SumNode) -> SumNode:
    return SumNode(node.hash, node.sum + 1)


def test_a_right_tree_is_seen_whole() -> None:
    view = seen(TreeLie())
    assert [leaf.index for leaf in view.leaves] == [0, 1, 2, 3, 4]
    assert (view.bad, view.unknown) == ([], [])


@pytest.mark.parametrize(("level", "index", "length"), [(0, 4, 49), (1, 1, 97), (2, 0, 97)])
def test_one_sum_too_high_is_found_and_the_leaves_beside_it_are_seen(
    level: int, index: int, length: int
) -> None:
    view = seen(TreeLie(stated={(level, index): more}))
    assert [(bad.level, bad.index, len(bad.preimage)) for bad in view.bad] == [
        (level, index, length)
    ]
    below = range(index << level, (index + 1) << level)
    assert [leaf.index for leaf in view.leaves] == [at for at in range(5) if at not in below]
    assert view.unknown == []


def test_another_sum_than_its_rows_within_a_leaf_is_found() -> None:
    (bad,) = seen(TreeLie(sums={2: 31})).bad
    assert (bad.level, bad.index, bad.node.sum, bad.preimage) == (0, 2, 31, ROWS[2].encode())


def test_two_wrong_sums_leave_the_top_to_be_demanded() -> None:
    stated: Stated = {(0, 0): more, (0, 3): more}
    view = seen(TreeLie(stated=stated))
    assert (view.leaves, view.bad, view.unknown) == ([], [], [(3, 0)])


def test_in_a_larger_tree_no_wrong_sum_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preimages, "MAX_SEARCHED_LEAVES", 4)
    assert seen(TreeLie(stated={(0, 4): more})).unknown == [(3, 0)]


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_tree_that_repeats_its_parts_is_seen_in_a_moment(depth: int) -> None:
    """A liar needs 32 hashes for a tree of 2^32 leaves; who looked at each of them would never end."""
    known = Preimages(NODES)
    tree = known.add_leaves(ROWS[: 1 << depth])
    node = tree.top
    for _ in range(32 - depth):
        node = known.add_parent(node, node)
    walk = Walk(known, (1 << 32) - 1)
    walk.from_top(node)
    # Twice the leaves that there are: the first of the second round does not rise.
    leaves = [record for record, _, _ in walk.leaves.values()]
    assert leaves == 2 * [row.encode() for row in ROWS[: 1 << depth]]
    assert list(walk.leaves) == list(range(len(leaves)))
