"""Answers to demands: whatever part of an honest epoch's trees is demanded, its bundle has it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.errors import TreeError
from streamrp2p.fraud.answers import AnswerBook
from streamrp2p.fraud.evidence import Chunk, Tree
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import NodeRow, PoolRow
from streamrp2p.settlement import GENESIS, Settlement, settle
from streamrp2p.typed_data import Domain
from streamrp2p.verify import Checked
from tests.support.demands import broad_settlement, every_demand
from tests.support.epochs import DOMAIN, Epoch, epochs

BOOK = Domain(31337, Address(bytes([7] * 20)))
Node = tuple[bytes, int]


@pytest.fixture(scope="module")
def settlement() -> Settlement:
    """Sessions, nodes and claims with trees of five levels, whose last leaf stands alone beside padding."""
    return broad_settlement(BOOK, nodes=17, sessions=17)


def top_of(chunk: Chunk, book: AnswerBook) -> Node:
    """Climb from the answer to the top, apart from the code under test; sums are 0 in the claims tree."""
    proven = book.answer(chunk)
    nodes = [node_of(chunk.tree, item) for item in proven.answer]
    level = 0 if chunk.level <= 3 else max(chunk.level - 6, 3)
    padding = (bytes(32), 0)
    for _ in range(level):
        padding = above(chunk.tree, padding, padding)
    nodes += [padding] * ((1 << chunk.level - level) - len(nodes))
    while len(nodes) > 1:
        nodes = [above(chunk.tree, *nodes[i : i + 2]) for i in range(0, len(nodes), 2)]
    (node,) = nodes
    for step, sibling in enumerate(proven.path):
        other = node_of(chunk.tree, sibling)
        pair = (other, node) if chunk.index >> step & 1 else (node, other)
        node = above(chunk.tree, *pair)
    return node


def node_of(tree: Tree, item: object) -> Node:
    if isinstance(item, ClaimLeaf):
        words = b"".join(word.to_bytes(32) for word in item.entries)
        return keccak(keccak(item.account + words)), 0
    if isinstance(item, tuple):
        return item[0], item[1]
    assert isinstance(item, bytes)
    if len(item) == 32:
        return item, 0
    weight = {
        Tree.POOLS: lambda: PoolRow.decode(item).weight,
        Tree.NODES: lambda: NodeRow.decode(item).weight,
        Tree.SESSIONS: lambda: SessionRecord.decode(item).weight,
    }[tree]()
    return keccak(b"\0" + keccak(item) + weight.to_bytes(16)), weight


def above(tree: Tree, left: Node, right: Node) -> Node:
    if tree == Tree.CLAIMS:
        return keccak(left[0] + right[0]), 0
    content = left[0] + left[1].to_bytes(16) + right[0] + right[1].to_bytes(16)
    return keccak(b"\1" + content), left[1] + right[1]


def test_every_part_of_every_tree_leads_to_its_root(settlement: Settlement) -> None:
    book = AnswerBook(settlement.bundle)
    chunks = [demand.chunk for demand in every_demand(settlement)]
    assert {(chunk.tree, chunk.level) for chunk in chunks if chunk.count == 17} == {
        (tree, level) for tree in (Tree.CLAIMS, Tree.NODES, Tree.SESSIONS) for level in range(6)
    }
    for chunk in chunks:
        assert top_of(chunk, book) == (chunk.root, chunk.sum)


@given(epochs(), st.data())
def test_any_part_of_any_epoch_leads_to_its_root(epoch: Epoch, data: st.DataObject) -> None:
    settlement = settle(DOMAIN, 0, GENESIS, epoch.pools, map(Checked, epoch.records))
    chunk = data.draw(st.sampled_from(list(every_demand(settlement)))).chunk
    assert top_of(chunk, AnswerBook(settlement.bundle)) == (chunk.root, chunk.sum)


def test_leaves_answer_up_to_level_three_and_nodes_above(settlement: Settlement) -> None:
    book = AnswerBook(settlement.bundle)
    rows = tuple(row.encode() for row in settlement.bundle.node_rows)
    pool = settlement.bundle.pool_rows[0]
    whole = Chunk(Tree.NODES, pool.nodes_root, pool.weight, 17, 5, 0)
    assert book.answer(replace(whole, level=3, index=1)).answer == rows[8:16]
    assert book.answer(replace(whole, level=3, index=2)).answer == rows[16:]
    assert len(book.answer(whole).answer) == 4
    assert book.answer(whole).path == ()
    claims = Chunk(Tree.CLAIMS, settlement.header.claims_root, 0, 17, 0, 16)
    assert book.answer(claims).answer == settlement.bundle.claims[16:]


@pytest.mark.parametrize(
    "changes",
    [
        {"root": bytes(32)},
        {"sum": 1},
        {"count": 18},
        {"tree": Tree.SESSIONS},
        {"tree": Tree.CLAIMS},
        {"level": 6},
        {"level": 0, "index": 17},
        {"level": 3, "index": 3},
        {"level": 4, "index": 2},
    ],
)
def test_what_the_bundle_does_not_have_is_refused(
    settlement: Settlement, changes: dict[str, object]
) -> None:
    pool = settlement.bundle.pool_rows[0]
    whole = Chunk(Tree.NODES, pool.nodes_root, pool.weight, 17, 5, 0)
    with pytest.raises(TreeError):
        AnswerBook(settlement.bundle).answer(replace(whole, **changes))  # type: ignore[arg-type]


def test_bundle_of_other_leaves_is_refused(settlement: Settlement) -> None:
    records = (bytes(274), *settlement.bundle.session_records[1:])
    book = AnswerBook(replace(settlement.bundle, session_records=records))
    node = settlement.bundle.node_rows[0]
    chunk = Chunk(Tree.SESSIONS, node.sessions_root, node.weight, node.session_count, 0, 0)
    with pytest.raises(TreeError, match="do not lead to the sessions tree"):
        book.answer(chunk)
