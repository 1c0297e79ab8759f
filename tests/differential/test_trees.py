"""Trees and paths of any size, against recursion."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streamrp2p.claims_tree import ClaimLeaf, claims_tree, entry_word
from streamrp2p.keccak import keccak, keccak_stream
from streamrp2p.numbers import Address, Hash
from streamrp2p.plain_tree import PlainTree
from streamrp2p.sum_tree import SumTree, leaf_node
from tests.differential.oracle import trees as oracle
from tests.differential.oracle.hashing import keccak as keccak_plainly

hashes = st.binary(min_size=32, max_size=32).map(Hash)
sums = st.integers(0, 2**64) | st.integers(0, 2**122)


@given(st.lists(st.binary(max_size=300), max_size=4))
def test_keccak_is_keccak(chunks: list[bytes]) -> None:
    assert keccak(b"".join(chunks)) == keccak_plainly(b"".join(chunks))
    assert keccak_stream(chunks) == keccak_plainly(b"".join(chunks))


@settings(max_examples=40)
@given(st.lists(hashes, max_size=35))
def test_plain_trees_have_the_same_roots_and_paths(leaves: list[Hash]) -> None:
    tree = PlainTree(leaves)
    assert tree.root == oracle.plain_root(leaves)
    for index in range(len(leaves)):
        assert list(tree.path(index)) == oracle.plain_path(leaves, index)


@settings(max_examples=25)
@given(st.lists(st.tuples(hashes, sums), max_size=35))
def test_sum_trees_have_the_same_tops_and_paths(rows: list[tuple[Hash, int]]) -> None:
    tree = SumTree([leaf_node(*row) for row in rows])
    leaves = [oracle.sum_leaf(*row) for row in rows]
    assert tuple(tree.top) == oracle.sum_root(leaves)
    for index in range(len(rows)):
        assert [tuple(node) for node in tree.path(index)] == oracle.sum_path(leaves, index)


@given(
    st.dictionaries(
        st.binary(min_size=20, max_size=20),
        st.dictionaries(st.integers(0, 2**32 - 1), st.integers(1, 2**128 - 1), max_size=3),
        max_size=9,
    )
)
def test_claims_trees_have_the_same_roots(earned: dict[bytes, dict[int, int]]) -> None:
    claims = [
        ClaimLeaf(Address(account), tuple(entry_word(*item) for item in sorted(own.items())))
        for account, own in sorted(earned.items())
    ]
    leaves = [
        oracle.claim_leaf(account, [pool * 2**128 + own[pool] for pool in sorted(own)])
        for account, own in sorted(earned.items())
    ]
    assert claims_tree(claims).root == oracle.plain_root(leaves)
