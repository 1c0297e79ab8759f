"""Frauds in the trees themselves, what must be demanded of them, and sessions that are not as promised."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrp2p.bundle import decode_bundle
from streamrp2p.errors import BundleError
from streamrp2p.fraud import (
    Answer,
    Chunk,
    Demand,
    Evidence,
    Fraud,
    Published,
    Tree,
    acknowledged_of,
    find_frauds,
    nodes_level_of,
)
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Hash, Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import pools_tree
from tests.support.fraud import HONEST, RECORDS, evidence_of, names, promise, refitted

BUNDLE = HONEST.bundle
HEADER = HONEST.header


def found(evidence: Evidence, published: Published | None = None) -> list[Fraud | Demand]:
    return list(find_frauds(evidence, published or Published()))


def first(evidence: Evidence) -> Fraud:
    fraud = found(evidence)[0]
    assert isinstance(fraud, Fraud)
    return fraud


def place(fraud: Fraud) -> tuple[int, int, int]:
    """Return level, index and the preimage's length of a bad node."""
    node, preimage = fraud.arguments[-2:]
    return node[1], node[2], len(preimage)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"weight": 1}, (2, 0, 97)),
        ({"pool_count": 2}, (0, 0, 97)),
        ({"pool_count": 4}, (0, 3, 0)),
        ({"pool_count": 5}, (1, 0, 49)),
        ({"pool_count": 0}, (0, 0, 0)),
        ({"pools_root": Hash(bytes(32))}, (2, 0, 0)),
    ],
)
def test_a_header_that_does_not_fit_its_pools_tree_is_a_bad_sum(
    fields: dict[str, object], shown: tuple[int, int, int]
) -> None:
    fraud = first(evidence_of(BUNDLE, replace(HEADER, **fields)))  # type: ignore[arg-type]
    assert (fraud.proof, fraud.function) == ("BadSum", "badSum")
    assert place(fraud) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(2, (0, 0, 64)), (3, (0, 3, 0)), (5, (1, 0, 32)), (0, (0, 0, 0)), (1, (0, 0, 64))],
)
def test_a_header_that_does_not_fit_its_claims_tree_is_a_bad_shape(
    count: int, shown: tuple[int, int, int]
) -> None:
    fraud = first(evidence_of(BUNDLE, replace(HEADER, claim_count=count)))
    assert (fraud.proof, fraud.function) == ("BadSum", "badClaimsShape")
    assert place(fraud) == shown


def test_a_row_that_says_another_weight_than_its_sessions_is_a_bad_sum_at_their_top() -> None:
    pools = list(BUNDLE.pool_rows)
    pools[1] = replace(pools[1], weight=pools[1].weight + 1)
    bundle = replace(BUNDLE, pool_rows=tuple(pools))
    header = pools_header(bundle)
    frauds = [one for one in found(evidence_of(bundle, header)) if isinstance(one, Fraud)]
    # The nodes tree has one leaf: its preimage has the weight that its row has.
    assert place(frauds[0]) == (0, 0, 49)
    assert frauds[0].difference.row == "nodes of pool 2, level 0, node 0"


def pools_header(bundle: object) -> EpochHeader:
    rows = bundle.pool_rows  # type: ignore[attr-defined]
    tree = pools_tree(rows)
    return replace(HEADER, pools_root=tree.top.hash, weight=tree.top.sum)


def test_without_a_bundle_both_tops_are_demanded() -> None:
    pools, claims = found(evidence_of(None, HEADER))
    assert isinstance(pools, Demand)
    assert isinstance(claims, Demand)
    assert pools.above == ()
    assert pools.chunk == Chunk(Tree.POOLS, HEADER.pools_root, HEADER.weight, 3, 2, 0)
    assert claims.chunk == Chunk(Tree.CLAIMS, HEADER.claims_root, 0, 4, 2, 0)
    assert pools.reason.proof == "Withheld"


def test_what_is_owed_is_not_demanded_again() -> None:
    evidence = evidence_of(None, HEADER)
    owed = frozenset(one.chunk for one in found(evidence) if isinstance(one, Demand))
    assert found(evidence, Published({}, owed)) == []


def test_published_rows_lead_to_the_demands_below_them_and_to_frauds() -> None:
    evidence = evidence_of(None, HEADER)
    pools, claims = (one.chunk for one in found(evidence) if isinstance(one, Demand))
    answers: dict[Chunk, Answer] = {
        pools: tuple(row.encode() for row in BUNDLE.pool_rows),
        claims: tuple(BUNDLE.claims),
    }
    demands = [one for one in found(evidence, Published(answers)) if isinstance(one, Demand)]
    assert [(one.chunk.tree, one.chunk.count) for one in demands] == [
        (Tree.NODES, 3),
        (Tree.NODES, 1),
    ]
    path = pools_tree(BUNDLE.pool_rows).path(0)
    assert demands[0].above == ((BUNDLE.pool_rows[0].encode(), 0, path),)
    wrong = found(replace(evidence, pools=evidence.pools[:2]), Published(answers))
    assert names(wrong)[0] == "badPool"


def test_answers_of_another_tree_are_not_taken_for_this_ones() -> None:
    evidence = evidence_of(None, HEADER)
    chunk = Chunk(Tree.POOLS, HEADER.claims_root, 0, 3, 2, 0)
    rows = tuple(row.encode() for row in BUNDLE.pool_rows)
    assert names(found(evidence, Published({chunk: rows}))) == ["demand", "demand"]


@pytest.mark.parametrize(("level", "below"), [(4, 3), (9, 3), (10, 4), (16, 10), (32, 26)])
def test_a_high_node_is_answered_from_six_levels_below(level: int, below: int) -> None:
    assert nodes_level_of(level) == below


def test_a_session_with_a_broken_signature_is_shown_with_its_sum() -> None:
    node = BUNDLE.node_rows[-1]
    record = SessionRecord.decode(BUNDLE.session_records[-1])
    broken = replace(record, receipt_signature=Signature(bytes(65)))
    records = (*BUNDLE.session_records[:-1], broken.encode())
    fraud = first(evidence_of(refitted(replace(BUNDLE, session_records=records))))
    assert (fraud.proof, fraud.function) == ("BadSession", "badSession")
    assert fraud.difference.found == "BAD_RECEIPT_SIGNATURE"
    _, above, session, total = fraud.arguments
    assert (above[0].record[:4], above[1].record[:20]) == ((2).to_bytes(4), node.node)
    assert (session[:2], total) == ((broken.encode(), 0), 5 * 10**9)


def test_a_promise_that_is_kept_shows_nothing() -> None:
    kept = [one for one in RECORDS if one.ticket.node == RECORDS[0].ticket.node]
    assert found(evidence_of(BUNDLE, HEADER, acknowledged=promise(*kept))) == []


def test_a_promised_session_that_is_absent_is_an_omission() -> None:
    absent = replace(RECORDS[0], ticket=replace(RECORDS[0].ticket, nonce=10**6))
    fraud = first(evidence_of(BUNDLE, HEADER, acknowledged=promise(absent)))
    assert (fraud.proof, fraud.function) == ("Omission", "omission")
    assert (fraud.difference.expected, fraud.difference.found) == ("1 or higher", "none")
    _, words, above, shown = fraud.arguments
    assert words[2] == absent.encode()
    assert len(above) == 2
    assert 1 <= len(shown) <= 2


def test_a_promise_of_another_poster_epoch_node_or_batch_binds_nobody() -> None:
    absent = replace(RECORDS[0], ticket=replace(RECORDS[0].ticket, nonce=10**6))
    (right,) = promise(absent)
    other_poster = replace(evidence_of(BUNDLE, HEADER, acknowledged=(right,)), poster=b"\1" * 20)  # type: ignore[arg-type]
    assert found(other_poster) == []
    for wrong in (
        promise(absent, epoch=2)[0],
        replace(right, signature=Signature(bytes(65))),
        replace(right, index=1),
        replace(right, record=RECORDS[0]),
        acknowledged_of(replace(right.ack, node=RECORDS[1].ticket.node), right.signature, [absent])[
            0
        ],
    ):
        assert found(evidence_of(BUNDLE, HEADER, acknowledged=(wrong,))) == []


@settings(max_examples=60)
@given(st.data())
def test_no_file_and_no_header_makes_the_finder_fail(data: st.DataObject) -> None:
    changed = bytearray(BUNDLE.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        bundle = decode_bundle(bytes(changed))
    except BundleError:
        bundle = None
    header = bytearray(HEADER.encode())
    for _ in range(data.draw(st.integers(0, 2))):
        header[data.draw(st.integers(0, len(header) - 1))] ^= data.draw(st.integers(1, 255))
    for one in find_frauds(evidence_of(bundle, EpochHeader.decode(bytes(header)))):
        assert isinstance(one, Fraud | Demand)
