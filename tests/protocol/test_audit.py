from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrp2p.allocation import Terms
from streamrp2p.audit import ByteIdentical, Difference, Verdict, audit
from streamrp2p.bundle import Bundle
from streamrp2p.claims_tree import ClaimLeaf, entry_word
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.records import NodeRow, PoolRow
from streamrp2p.settlement import (
    GENESIS,
    Parent,
    PoolInput,
    header_of,
    nodes_tree,
    sessions_tree,
    settle,
)
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain
from streamrp2p.verify import Checked, Code
from tests.support.changed import changed
from tests.support.epochs import (
    DOMAIN,
    NODES,
    POSTER,
    POSTER_KEY,
    TICKET_KEY,
    VIEWER_KEYS,
    Epoch,
    epochs,
    signed_record,
)
from tests.support.sessions import make_rejection, resigned

GB = 10**9
TERMS = Terms(10, 1000, address_of(TICKET_KEY))
POOLS = (PoolInput(1, TERMS, 10**6), PoolInput(2, TERMS, 10**6))
SHAPES = ((1, 0, 6), (1, 1, 3), (1, 0, 2), (2, 2, 5))
RECORDS = [
    signed_record(1, pool_id, node, 0, (weight * GB, weight * GB), nonce)
    for nonce, (pool_id, node, weight) in enumerate(SHAPES)
]
REJECTIONS = [
    make_rejection(record, domain=DOMAIN, poster_key=POSTER_KEY, code=Code.SUSPECT, received_at=9)
    for record in RECORDS[:2]
]
FIRST = settle(DOMAIN, 0, GENESIS, POOLS, [Checked(signed_record(0, 1, 3, 1, (GB, GB), 0))])
PARENT = Parent.of(FIRST.header, FIRST.bundle)
HONEST = settle(DOMAIN, 1, PARENT, POOLS, map(Checked, RECORDS), REJECTIONS)
BUNDLE = HONEST.bundle


def judge(
    bundle: Bundle,
    header: EpochHeader | None = None,
    *,
    domain: Domain = DOMAIN,
    parent: Parent = PARENT,
    pools: tuple[PoolInput, ...] = POOLS,
    poster: Address = POSTER,
) -> Verdict:
    return audit(domain, header or header_of(bundle), bundle.encode(), parent, pools, poster)


def difference(*arguments: Bundle, **facts: object) -> Difference:
    verdict = judge(*arguments, **facts)  # type: ignore[arg-type]
    assert isinstance(verdict, Difference)
    return verdict


def with_node(index: int, **fields: object) -> tuple[NodeRow, ...]:
    rows = list(BUNDLE.node_rows)
    rows[index] = replace(rows[index], **fields)  # type: ignore[arg-type]
    return tuple(rows)


def with_pool(index: int, **fields: object) -> tuple[PoolRow, ...]:
    rows = list(BUNDLE.pool_rows)
    rows[index] = replace(rows[index], **fields)  # type: ignore[arg-type]
    return tuple(rows)


def refitted(
    node_rows: tuple[NodeRow, ...], pool_rows: tuple[PoolRow, ...] = BUNDLE.pool_rows
) -> Bundle:
    """Return the bundle with these rows, the pools' roots and sums made to fit them."""
    bundle = replace(BUNDLE, node_rows=node_rows, pool_rows=pool_rows)
    fitted = []
    for row, nodes in bundle.by_pool():
        top = nodes_tree(nodes).top
        fitted.append(replace(row, nodes_root=top.hash, weight=top.sum))
    return replace(bundle, pool_rows=tuple(fitted))


def test_an_honest_epoch_is_byte_identical() -> None:
    assert judge(BUNDLE, HONEST.header) == ByteIdentical(HONEST)
    assert judge(FIRST.bundle, FIRST.header, parent=GENESIS) == ByteIdentical(FIRST)


def test_a_reward_inflated_by_one_is_bad_reward() -> None:
    reward = BUNDLE.node_rows[0].reward
    found = difference(refitted(with_node(0, reward=reward + 1)))
    assert found == Difference(
        "BadReward", f"pool 1, node 0x{BUNDLE.node_rows[0].node.hex()}", "reward", str(reward), str(reward + 1),
    )  # fmt: skip


def test_a_spend_inflated_with_rewards_that_follow_is_bad_spend() -> None:
    nodes = with_node(0, reward=BUNDLE.node_rows[0].reward + 1)
    spend = BUNDLE.pool_rows[0].spend
    pools = with_pool(0, spend=spend + 1, cumulative_spend=spend + 1)
    found = difference(refitted(nodes, pools))
    assert (found.proof, found.row, found.field) == ("BadSpend", "pool 1", "spend")
    assert (found.expected, found.found) == (str(spend), str(spend + 1))


def test_a_forgotten_parents_spend_is_bad_spend() -> None:
    pools = with_pool(0, cumulative_spend=BUNDLE.pool_rows[0].spend)
    found = difference(refitted(BUNDLE.node_rows, pools))
    assert (found.proof, found.field) == ("BadSpend", "cumulativeSpend")


def test_a_dropped_session_beneath_an_unchanged_row_is_bad_sum() -> None:
    rows = with_node(0, session_count=BUNDLE.node_rows[0].session_count - 1)
    found = difference(replace(BUNDLE, node_rows=rows, session_records=BUNDLE.session_records[1:]))
    assert (found.proof, found.field) == ("BadSum", "sessionsRoot")


def test_a_weight_that_is_not_the_sessions_is_bad_sum() -> None:
    found = difference(refitted(with_node(0, weight=BUNDLE.node_rows[0].weight + 1)))
    assert (found.proof, found.field) == ("BadSum", "weight")


def test_a_pools_weight_that_is_not_its_nodes_is_bad_sum() -> None:
    weight = BUNDLE.pool_rows[0].weight
    found = difference(replace(BUNDLE, pool_rows=with_pool(0, weight=weight + 1)))
    assert found == Difference("BadSum", "pool 1", "weight", str(weight), str(weight + 1))


def test_a_nodes_root_that_is_not_the_rows_is_bad_sum() -> None:
    found = difference(replace(BUNDLE, pool_rows=with_pool(1, nodes_root=Hash(bytes(32)))))
    assert (found.proof, found.row, found.field) == ("BadSum", "pool 2", "nodesRoot")


def test_an_invented_row_without_sessions_is_bad_sum() -> None:
    invented = NodeRow(Address(b"\xff" * 20), Hash(bytes(32)), 0, 0, 0)
    rows = with_pool(1, node_count=2)
    found = difference(refitted((*BUNDLE.node_rows, invented), rows))
    assert found == Difference("BadSum", f"pool 2, node 0x{'ff' * 20}", "row", "none", "a row")


def test_an_unknown_pool_and_a_missing_one_are_bad_pool() -> None:
    found = difference(BUNDLE, pools=POOLS[:1])
    assert found == Difference("BadPool", "pools", "poolId", "none", "2")
    found = difference(BUNDLE, pools=(*POOLS, PoolInput(9, TERMS, 1)))
    assert found == Difference("BadPool", "pools", "poolId", "9", "none")


@pytest.mark.parametrize("part", ["pool_rows", "rejections"])
def test_unordered_parts_are_named(part: str) -> None:
    found = difference(replace(BUNDLE, **{part: getattr(BUNDLE, part)[::-1]}))
    assert found.proof == {"pool_rows": "BadOrder", "rejections": "Withheld"}[part]


def test_unordered_and_repeated_sessions_are_bad_order() -> None:
    first, second, *others = BUNDLE.session_records
    for records in ((second, first, *others), (first, first, *others)):
        found = difference(replace(BUNDLE, session_records=records))
        assert (found.proof, found.field) == ("BadOrder", "sessionId")


@pytest.mark.parametrize(
    ("field", "found", "change"),
    [
        ("rule", "BAD_RECEIPT_SIGNATURE",
         lambda one: replace(one, receipt=replace(one.receipt, bytes_delivered=6 * GB))),
        ("rule", "BAD_RECEIPT_SIGNATURE", lambda one: replace(one, receipt_signature=Signature(bytes(65)))),
        ("rule", "BAD_TICKET_SIGNATURE", lambda one: replace(one, ticket_signature=one.receipt_signature)),
        ("rule", "WRONG_EPOCH", lambda one: replace(one, ticket=replace(one.ticket, epoch=2))),
        ("rule", "OVER_CREDIT", lambda one: replace(one, ticket=replace(one.ticket, max_bytes=1))),
        ("rule", "MALFORMED", lambda one: replace(one, receipt=replace(one.receipt, bytes_on_time=2**64 - 1))),
        ("poolId", "1", lambda one: replace(one, ticket=replace(one.ticket, pool_id=1))),
        ("node", f"0x{NODES[4].hex()}", lambda one: replace(one, ticket=replace(one.ticket, node=NODES[4]))),
    ],
)  # fmt: skip
def test_a_session_that_breaks_a_rule_is_bad_session(
    field: str, found: str, change: Callable[[object], object]
) -> None:
    node = BUNDLE.node_rows[-1].node
    index = next(i for i, one in enumerate(RECORDS) if one.ticket.node == node)
    record = change(RECORDS[index])
    bundle = replace(
        BUNDLE,
        session_records=(*BUNDLE.session_records[:-1], record.encode()),  # type: ignore[attr-defined]
    )
    verdict = difference(bundle)
    assert (verdict.proof, verdict.field, verdict.found) == ("BadSession", field, found)


def test_a_session_without_weight_is_bad_session() -> None:
    worthless = signed_record(1, 2, 2, 0, (1, 0), 77)
    rows = with_node(2, session_count=1)
    found = difference(
        replace(BUNDLE, node_rows=rows, session_records=(*BUNDLE.session_records[:-1], worthless.encode()))
    )  # fmt: skip
    assert (found.proof, found.field, found.found) == ("BadSession", "weight", "0")


def test_the_wrong_terms_signer_is_bad_session() -> None:
    terms = replace(TERMS, ticket_signer=NODES[0])
    found = difference(BUNDLE, pools=tuple(replace(pool, terms=terms) for pool in POOLS))
    assert (found.proof, found.found) == ("BadSession", "BAD_TICKET_SIGNATURE")


def claims_cheat(*claims: ClaimLeaf) -> Difference:
    return difference(replace(BUNDLE, claims=claims))


def test_claims_that_are_not_parent_plus_rewards_are_bad_claim() -> None:
    first, second, *others = BUNDLE.claims
    account = first.account.hex()
    raised = ClaimLeaf(first.account, (first.entries[0] + 1,))
    found = claims_cheat(raised, second, *others)
    assert (found.proof, found.row, found.field) == ("BadClaim", f"account 0x{account}", "entries")
    found = claims_cheat(second, *others)
    assert found == Difference(
        "BadClaim", f"account 0x{account}", "row", "a row", f"0x{second.account.hex()}"
    )
    stranger = ClaimLeaf(Address(b"\xff" * 20), (entry_word(1, 1),))
    found = claims_cheat(*BUNDLE.claims, stranger)
    assert found == Difference("BadClaim", f"account 0x{'ff' * 20}", "row", "none", "a row")
    found = claims_cheat(second, first, *others)
    assert found.proof == "BadClaim"


@pytest.mark.parametrize(
    ("field", "proof"),
    [("pools_root", "BadSum"), ("weight", "BadSum"), ("pool_count", "BadSum"),
     ("claims_root", "BadClaim"), ("claim_count", "BadClaim"), ("parent", "Withheld"), ("epoch", "Withheld"),
     ("data_hash", "Withheld")],
)  # fmt: skip
def test_a_header_that_is_not_the_bundles_is_wrong(field: str, proof: str) -> None:
    value = getattr(HONEST.header, field)
    wrong = value + 1 if isinstance(value, int) else Hash(bytes(31) + b"\1")
    verdict = judge(BUNDLE, changed(HONEST.header, **{field: wrong}))
    assert isinstance(verdict, Difference)
    assert verdict.proof == proof


def test_a_bundle_of_another_chain_book_or_parent_is_withheld() -> None:
    for wrong in (
        replace(BUNDLE, chain_id=1),
        replace(BUNDLE, epoch_book=Address(bytes(20))),
        replace(BUNDLE, parent=Hash(bytes(32))),
    ):
        for header in (header_of(wrong), replace(HONEST.header, data_hash=wrong.data_hash())):
            verdict = judge(wrong, header)
            assert isinstance(verdict, Difference)
            assert verdict.proof == "Withheld"
    assert difference(BUNDLE, parent=GENESIS).field == "parent"
    header = replace(HONEST.header, data_hash=replace(BUNDLE, epoch=2).data_hash())
    verdict = judge(replace(BUNDLE, epoch=2), header)
    assert isinstance(verdict, Difference)
    assert (verdict.proof, verdict.field) == ("Withheld", "epoch")


def test_rejections_by_another_than_the_poster_are_named() -> None:
    found = difference(BUNDLE, poster=NODES[0])
    assert (found.proof, found.row, found.field) == ("Withheld", "rejection 0", "signature")


def test_an_unfunded_spend_is_bad_spend_and_no_crash() -> None:
    poor = tuple(replace(pool, funded=0) for pool in POOLS)
    found = difference(BUNDLE, pools=poor)
    assert (found.proof, found.field) == ("BadSpend", "spend")


@pytest.mark.parametrize(
    "claims",
    [
        (ClaimLeaf(NODES[0], (entry_word(1, 2**128 - 1),)),),
        (ClaimLeaf(NODES[0], (2**200,)),),
        (ClaimLeaf(NODES[0], tuple(entry_word(pool_id, 1) for pool_id in range(5, 261))),),
    ],
    ids=["overflows", "no such pool id", "too many pools"],
)
def test_a_parent_whose_claims_do_not_add_up_is_a_verdict_and_no_crash(
    claims: tuple[ClaimLeaf, ...],
) -> None:
    found = difference(BUNDLE, parent=replace(PARENT, claims=claims))
    assert found.proof == "BadClaim"


@settings(max_examples=100)
@given(epochs(), st.data())
def test_mutated_bundles_are_never_byte_identical_and_never_crash(
    epoch: Epoch, data: st.DataObject
) -> None:
    """The header is that of the honest bundle, or names the mutated bytes, as a cheating poster's would."""
    honest = settle(DOMAIN, 0, GENESIS, epoch.pools, map(Checked, epoch.records), epoch.rejections)
    bundle = bytearray(honest.bundle.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(bundle) - 1))
        bundle[at] ^= data.draw(st.integers(1, 255))
    mutated = bytes(bundle)
    if mutated == honest.bundle.encode():
        return
    for header in (honest.header, replace(honest.header, data_hash=keccak(mutated))):
        verdict = audit(DOMAIN, header, mutated, GENESIS, epoch.pools, POSTER)
        assert isinstance(verdict, Difference)


@given(st.integers(0, 159), st.integers(1, 255))
def test_mutated_headers_are_never_byte_identical(at: int, change: int) -> None:
    encoded = bytearray(HONEST.header.encode())
    encoded[at] ^= change
    verdict = judge(BUNDLE, EpochHeader.decode(bytes(encoded)))
    assert isinstance(verdict, Difference)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_withheld(data: bytes) -> None:
    header = replace(HONEST.header, data_hash=keccak(data))
    verdict = audit(DOMAIN, header, data, PARENT, POOLS, POSTER)
    assert isinstance(verdict, Difference)
    assert verdict.proof == "Withheld"


@settings(max_examples=40)
@given(epochs())
def test_every_honest_epoch_is_byte_identical(epoch: Epoch) -> None:
    settled = settle(DOMAIN, 0, GENESIS, epoch.pools, map(Checked, epoch.records), epoch.rejections)
    verdict = audit(DOMAIN, settled.header, settled.bundle.encode(), GENESIS, epoch.pools, POSTER)
    assert verdict == ByteIdentical(settled)


def test_a_receipt_raised_by_its_own_viewer_after_the_fact_changes_the_sums() -> None:
    """A cheat with valid signatures still has to fit the rows."""
    record = RECORDS[3]
    viewer = VIEWER_KEYS[0]
    raised = resigned(record, replace(record.receipt, bytes_delivered=6 * GB), DOMAIN, viewer)
    assert sessions_tree([raised.encode()], [raised.weight]).top.sum > record.weight
    found = difference(
        replace(BUNDLE, session_records=(*BUNDLE.session_records[:-1], raised.encode()))
    )
    assert (found.proof, found.field) == ("BadSum", "sessionsRoot")
