import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.errors import TreeError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import ZERO_HASH, Hash
from streamrp2p.sum_tree import (
    EMPTY_LEAF,
    MAX_SUM,
    SumNode,
    SumTree,
    inner_node,
    leaf_node,
    top_of_path,
)

A, B, C = (leaf_node(keccak(name), weight) for name, weight in ((b"a", 5), (b"b", 7), (b"c", 11)))
leaves_strategy = st.lists(
    st.builds(leaf_node, st.binary(min_size=32, max_size=32).map(Hash), st.integers(0, 2**64)),
    min_size=1,
    max_size=33,
)


def test_a_leaf_is_tagged_and_bound_to_its_sum() -> None:
    digest = keccak(b"a")
    assert SumNode(keccak(b"\x00" + digest + (5).to_bytes(16)), 5) == A
    assert len(b"\x00" + digest + (5).to_bytes(16)) == 49


def test_an_inner_node_is_tagged_and_bound_to_both_sums() -> None:
    bytes_of_both = A.hash + (5).to_bytes(16) + B.hash + (7).to_bytes(16)
    assert inner_node(A, B) == SumNode(keccak(b"\x01" + bytes_of_both), 12)


def test_small_trees_are_these() -> None:
    assert SumTree([]).top == SumNode(ZERO_HASH, 0)
    assert SumTree([A]).top == A
    assert SumTree([A, B]).top == inner_node(A, B)
    assert SumTree([A, B, C]).top == inner_node(inner_node(A, B), inner_node(C, EMPTY_LEAF))


@given(leaves_strategy)
def test_the_total_is_the_sum_and_every_path_leads_to_the_top(leaves: list[SumNode]) -> None:
    tree = SumTree(leaves)
    assert tree.top.sum == sum(leaf.sum for leaf in leaves)
    for index, leaf in enumerate(leaves):
        assert top_of_path(leaf, index, tree.count, tree.path(index)) == tree.top


@given(leaves_strategy, st.data())
def test_a_leaf_with_another_sum_does_not_lead_to_the_top(
    leaves: list[SumNode], data: st.DataObject
) -> None:
    tree = SumTree(leaves)
    index = data.draw(st.integers(0, tree.count - 1))
    other = data.draw(st.integers(0, 2**64).filter(lambda total: total != leaves[index].sum))
    inflated = SumNode(leaves[index].hash, other)
    assert top_of_path(inflated, index, tree.count, tree.path(index)) != tree.top


@given(leaves_strategy.filter(lambda leaves: len(leaves) > 1), st.data())
def test_shifting_sum_between_siblings_changes_the_top(
    leaves: list[SumNode], data: st.DataObject
) -> None:
    tree = SumTree(leaves)
    index = data.draw(st.integers(0, tree.count - 1))
    path = list(tree.path(index))
    level = data.draw(st.integers(0, len(path) - 1))
    path[level] = SumNode(path[level].hash, path[level].sum + 1)
    assert top_of_path(leaves[index], index, tree.count, path) != tree.top


@given(leaves_strategy.filter(lambda leaves: len(leaves) > 1), st.data())
def test_an_inner_node_is_no_leaf(leaves: list[SumNode], data: st.DataObject) -> None:
    """Neither by a shorter path nor by its own bytes, for leaves are tagged differently."""
    tree = SumTree(leaves)
    index = data.draw(st.integers(0, tree.count - 1))
    path = tree.path(index)
    pair = (leaves[index], path[0]) if index % 2 == 0 else (path[0], leaves[index])
    with pytest.raises(TreeError, match="siblings"):
        top_of_path(inner_node(*pair), index // 2, tree.count, path[1:])
    body = b"".join(node.hash + node.sum.to_bytes(16) for node in pair)
    assert leaf_node(Hash(keccak(body)), pair[0].sum + pair[1].sum).hash != inner_node(*pair).hash


@given(leaves_strategy, st.data())
def test_truncated_and_overlong_paths_and_wrong_places_are_refused(
    leaves: list[SumNode], data: st.DataObject
) -> None:
    tree = SumTree(leaves)
    index = data.draw(st.integers(0, tree.count - 1))
    path = tree.path(index)
    if path:
        with pytest.raises(TreeError):
            top_of_path(leaves[index], index, tree.count, path[:-1])
    with pytest.raises(TreeError):
        top_of_path(leaves[index], index, tree.count, (*path, EMPTY_LEAF))
    for wrong in (-1, tree.count, tree.count + 1):
        with pytest.raises(TreeError):
            top_of_path(leaves[index], wrong, tree.count, path)


def test_the_widest_sum_fits_and_one_more_is_an_error() -> None:
    widest = leaf_node(keccak(b"w"), MAX_SUM)
    assert SumTree([widest, EMPTY_LEAF]).top.sum == MAX_SUM
    with pytest.raises(TreeError, match="uint128"):
        SumTree([widest, leaf_node(keccak(b"x"), 1)])
    with pytest.raises(TreeError, match="uint128"):
        leaf_node(keccak(b"x"), MAX_SUM + 1)


def test_a_path_cannot_hide_an_overflow_or_a_debt() -> None:
    for total in (MAX_SUM, -1):
        with pytest.raises(TreeError):
            top_of_path(A, 0, 2, [SumNode(ZERO_HASH, total)])


def test_any_node_can_be_named_also_over_padding() -> None:
    leaves = [leaf_node(Hash(bytes([number]) * 32), number) for number in (1, 2, 3)]
    tree = SumTree(leaves)
    assert tree.depth == 2
    assert tree.node(0, 2) == leaves[2]
    assert tree.node(0, 3) == EMPTY_LEAF
    assert tree.node(1, 1) == inner_node(leaves[2], EMPTY_LEAF)
    assert tree.node(2, 0) == tree.top
    for level, index in ((0, 4), (1, 2), (2, 1), (3, 0), (-1, 0), (0, -1)):
        with pytest.raises(TreeError, match="has no node"):
            tree.node(level, index)
