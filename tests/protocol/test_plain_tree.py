import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.errors import TreeError
from streamrp2p.keccak import keccak
from streamrp2p.merkle import depth_of
from streamrp2p.numbers import ZERO_HASH, Hash
from streamrp2p.plain_tree import (
    PlainTree,
    check_rising,
    first_unordered,
    neighbours_of,
    root_of_path,
    root_of_range,
    shows_absence,
)

A, B, C = (keccak(name) for name in (b"a", b"b", b"c"))
hashes = st.binary(min_size=32, max_size=32).map(Hash)
trees = st.lists(hashes, min_size=1, max_size=33)


def test_small_trees_are_these() -> None:
    assert PlainTree([]).root == ZERO_HASH
    assert PlainTree([A]).root == A
    assert PlainTree([A, B]).root == keccak(A + B)
    assert PlainTree([A, B, C]).root == keccak(keccak(A + B) + keccak(C + ZERO_HASH))


def test_sides_matter() -> None:
    assert PlainTree([A, B]).root != PlainTree([B, A]).root


def test_padding_is_hashed_too() -> None:
    zeros = keccak(ZERO_HASH + ZERO_HASH)
    left = keccak(keccak(A + A) + keccak(A + A))
    assert PlainTree([A] * 5).root == keccak(left + keccak(keccak(A + ZERO_HASH) + zeros))


@pytest.mark.parametrize(
    ("count", "depth"),
    [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (2**20, 20), (2**20 + 1, 21)],
)
def test_depth_is_the_logarithm_rounded_up(count: int, depth: int) -> None:
    assert depth_of(count) == depth


@given(trees)
def test_every_path_leads_to_the_root(leaves: list[Hash]) -> None:
    tree = PlainTree(leaves)
    for index, leaf in enumerate(leaves):
        assert root_of_path(leaf, index, tree.count, tree.path(index)) == tree.root


@given(trees, st.data())
def test_every_range_leads_to_the_root(leaves: list[Hash], data: st.DataObject) -> None:
    tree = PlainTree(leaves)
    first = data.draw(st.integers(0, tree.count - 1))
    width = data.draw(st.integers(1, tree.count - first))
    part, path = leaves[first : first + width], tree.range_path(first, width)
    assert root_of_range(part, first, tree.count, path) == tree.root
    if width == 1:
        assert path == tree.path(first)
    for wrong in (path[1:], (*path, ZERO_HASH)):
        if len(wrong) != len(path):
            with pytest.raises(TreeError, match=f"has {len(path)} nodes"):
                root_of_range(part, first, tree.count, wrong)


@given(trees, st.data())
def test_a_range_with_another_leaf_or_node_beside_leads_elsewhere(
    leaves: list[Hash], data: st.DataObject
) -> None:
    tree = PlainTree(leaves)
    first = data.draw(st.integers(0, tree.count - 1))
    width = data.draw(st.integers(1, tree.count - first))
    part, path = leaves[first : first + width], list(tree.range_path(first, width))
    words = [*part, *path]
    place = data.draw(st.integers(0, len(words) - 1))
    words[place] = keccak(words[place])
    other = root_of_range(words[:width], first, tree.count, words[width:])
    assert other != tree.root


@pytest.mark.parametrize(("first", "width"), [(0, 0), (5, 1), (4, 2), (-1, 2), (0, 6)])
def test_a_range_that_is_empty_or_reaches_into_padding_is_refused(first: int, width: int) -> None:
    tree = PlainTree([A, B, C, A, B])
    with pytest.raises(TreeError):
        tree.range_path(first, width)
    with pytest.raises(TreeError):
        root_of_range([A] * width, first, tree.count, [])


@given(trees, st.data())
def test_no_other_leaf_or_place_leads_to_the_root(leaves: list[Hash], data: st.DataObject) -> None:
    tree = PlainTree(leaves)
    index = data.draw(st.integers(0, tree.count - 1))
    other = data.draw(st.integers(0, tree.count - 1))
    stranger = data.draw(hashes)
    path = tree.path(index)
    if stranger != leaves[index]:
        assert root_of_path(stranger, index, tree.count, path) != tree.root
    # At another place it leads to the root only if both subtrees on the way are equal.
    if len(set(leaves)) == len(leaves) and other != index:
        assert root_of_path(leaves[index], other, tree.count, path) != tree.root


@given(trees.filter(lambda leaves: len(leaves) > 1), st.data())
def test_an_inner_node_is_no_leaf(leaves: list[Hash], data: st.DataObject) -> None:
    """Its path would be too short for the count, and every other length is refused."""
    tree = PlainTree(leaves)
    index = data.draw(st.integers(0, tree.count - 1))
    path = tree.path(index)
    inner = keccak(leaves[index] + path[0] if index % 2 == 0 else path[0] + leaves[index])
    with pytest.raises(TreeError, match="siblings"):
        root_of_path(inner, index // 2, tree.count, path[1:])


@given(trees, st.data())
def test_truncated_and_overlong_paths_are_refused(leaves: list[Hash], data: st.DataObject) -> None:
    tree = PlainTree(leaves)
    index = data.draw(st.integers(0, tree.count - 1))
    path = tree.path(index)
    for wrong in (path[:-1], (*path, ZERO_HASH), (*path, *path, A)):
        if len(wrong) != len(path):
            with pytest.raises(TreeError, match="siblings"):
                root_of_path(leaves[index], index, tree.count, wrong)


@given(trees, st.integers(-3, 40))
def test_padding_cannot_be_proven_by_an_index_beyond_the_count(
    leaves: list[Hash], index: int
) -> None:
    tree = PlainTree(leaves)
    if not 0 <= index < tree.count:
        path = tree.path(tree.count - 1)
        with pytest.raises(TreeError, match=f"leaf {index} is not in a tree"):
            root_of_path(ZERO_HASH, index, tree.count, path)
        with pytest.raises(TreeError):
            tree.path(index)


def test_an_empty_tree_has_no_path() -> None:
    with pytest.raises(TreeError):
        PlainTree([]).path(0)
    with pytest.raises(TreeError):
        root_of_path(ZERO_HASH, 0, 0, [])


def test_the_tree_does_not_follow_later_changes_of_its_input() -> None:
    leaves = [A, B, C]
    tree = PlainTree(leaves)
    leaves[2] = A
    assert root_of_path(C, 2, 3, tree.path(2)) == tree.root
    assert tree.path(3 - 1)[0] == ZERO_HASH


def test_keys_rise_strictly() -> None:
    check_rising([1, 2, 4], "pool")
    assert first_unordered([1, 3, 3]) == 2
    assert first_unordered([b"b", b"a"]) == 1
    assert first_unordered([]) is None
    with pytest.raises(TreeError, match="pool keys must rise strictly, but do not at leaf 2"):
        check_rising([1, 3, 2], "pool")


KEYS = [bytes([number]) for number in (10, 20, 30)]


@pytest.mark.parametrize(
    ("missing", "indices"), [(5, (0,)), (15, (0, 1)), (25, (1, 2)), (35, (2,))]
)
def test_neighbours_show_an_absence(missing: int, indices: tuple[int, ...]) -> None:
    key = bytes([missing])
    assert neighbours_of(KEYS, key) == indices
    assert shows_absence(key, 3, [(index, KEYS[index]) for index in indices])


def test_nothing_is_in_an_empty_tree() -> None:
    assert neighbours_of([], b"x") == ()
    assert shows_absence(b"x", 0, [])
    assert not shows_absence(b"x", 1, [])


def test_a_present_key_has_no_absence() -> None:
    with pytest.raises(TreeError, match="present at leaf 1"):
        neighbours_of(KEYS, bytes([20]))
    with pytest.raises(TreeError, match="key 4 is present"):
        neighbours_of([3, 4], 4)


@pytest.mark.parametrize(
    "shown",
    [[0], [2], [0, 1], [1, 2], [0, 2], [2, 0], [0, 1, 2], []],
    ids=lambda indices: "-".join(map(str, indices)) or "none",
)
def test_no_choice_of_leaves_shows_a_present_key_absent(shown: list[int]) -> None:
    assert not shows_absence(bytes([20]), 3, [(index, KEYS[index]) for index in shown])


@pytest.mark.parametrize(
    ("missing", "shown"), [(15, [0]), (15, [1]), (15, [0, 2]), (25, [1, 1]), (35, [1]), (5, [1])]
)
def test_leaves_that_are_not_its_neighbours_show_nothing(missing: int, shown: list[int]) -> None:
    assert not shows_absence(bytes([missing]), 3, [(index, KEYS[index]) for index in shown])


@given(
    st.lists(st.integers(0, 60), unique=True, min_size=1).map(sorted),
    st.data(),
)
def test_a_present_key_can_never_be_shown_absent(keys: list[int], data: st.DataObject) -> None:
    """Whichever proven leaves are shown."""
    missing = data.draw(st.sampled_from(keys))
    shown = data.draw(st.lists(st.sampled_from(list(enumerate(keys))), max_size=2))
    assert not shows_absence(missing, len(keys), shown)


@given(st.lists(st.integers(0, 60), unique=True).map(sorted), st.integers(0, 60))
def test_an_absent_key_can_always_be_shown_absent(keys: list[int], missing: int) -> None:
    if missing not in keys:
        shown = [(index, keys[index]) for index in neighbours_of(keys, missing)]
        assert shows_absence(missing, len(keys), shown)
