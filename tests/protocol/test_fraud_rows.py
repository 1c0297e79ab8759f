"""Frauds in rows and claims: what is wrong, by which entry point, with which words."""

from dataclasses import replace

from streamrp2p.bundle import Bundle
from streamrp2p.claim import header_words
from streamrp2p.claims_tree import ClaimLeaf, entry_word
from streamrp2p.difference import Difference
from streamrp2p.fraud import Demand, Evidence, Fraud, Published, Tree, find_frauds
from streamrp2p.fraud.kinds import POOLS as KIND
from streamrp2p.fraud.preimages import leaf_of, parent_of
from streamrp2p.numbers import Address
from streamrp2p.records import PoolRow
from streamrp2p.settlement import PoolInput, header_of, pools_tree
from tests.support.fraud import FIRST, HONEST, POOLS, TERMS, evidence_of, names, refitted

BUNDLE = HONEST.bundle
STRANGER = Address(b"\xff" * 20)


def found(evidence: Evidence) -> list[Fraud | Demand]:
    return list(find_frauds(evidence))


def only(evidence: Evidence) -> Fraud:
    (fraud,) = found(evidence)
    assert isinstance(fraud, Fraud)
    return fraud


def rows_of(evidence: Evidence) -> tuple[PoolRow, ...]:
    assert evidence.bundle is not None
    return evidence.bundle.pool_rows


def with_pool(index: int, **fields: object) -> Bundle:
    rows = list(BUNDLE.pool_rows)
    rows[index] = replace(rows[index], **fields)  # type: ignore[arg-type]
    return replace(BUNDLE, pool_rows=tuple(rows))


def with_claims(*claims: ClaimLeaf) -> Bundle:
    return replace(BUNDLE, claims=claims)


def test_a_reward_raised_by_one_is_shown_by_its_row_under_its_pools_row() -> None:
    rows = list(BUNDLE.node_rows)
    rows[0] = replace(rows[0], reward=rows[0].reward + 1)
    evidence = evidence_of(refitted(replace(BUNDLE, node_rows=tuple(rows))))
    first, second = found(evidence)
    assert isinstance(first, Fraud)
    assert (first.proof, first.function) == ("BadReward", "badReward")
    header, pool, node = first.arguments
    assert header == header_words(evidence.header)
    assert pool[:2] == (rows_of(evidence)[0].encode(), 0)
    assert node[:2] == (rows[0].encode(), 0)
    assert len(pool[2]) == 2
    assert first.difference == Difference(
        "BadReward", f"pool 1, node 0x{rows[0].node.hex()}", "reward", "150", "151"
    )
    # The claims are the honest ones, so they do not fit the raised reward.
    assert isinstance(second, Fraud)
    assert second.function == "badClaim"


def test_a_row_of_weight_0_is_a_bad_reward() -> None:
    invented = replace(BUNDLE.node_rows[-1], node=STRANGER, session_count=0, reward=0)
    pools = list(BUNDLE.pool_rows)
    pools[1] = replace(pools[1], node_count=2)
    bundle = replace(BUNDLE, pool_rows=tuple(pools), node_rows=(*BUNDLE.node_rows, invented))
    fraud = only(evidence_of(refitted(bundle)))
    assert (fraud.function, fraud.difference.field) == ("badReward", "weight")


def test_a_spend_is_shown_with_the_parents_row() -> None:
    row = BUNDLE.pool_rows[1]
    bundle = with_pool(1, spend=row.spend + 1)
    frauds = [one for one in found(evidence_of(bundle)) if isinstance(one, Fraud)]
    fraud = frauds[0]
    assert (fraud.function, fraud.difference) == (
        "badSpend",
        Difference("BadSpend", "pool 2", "spend", "50", "51"),
    )
    _, pool, parent, before = fraud.arguments
    assert parent == header_words(FIRST.header)
    tree = pools_tree(FIRST.bundle.pool_rows)
    assert before == [(FIRST.bundle.pool_rows[1].encode(), 1, tree.path(1))]
    assert pool[1] == 1


def test_a_new_pools_spend_is_shown_without_a_parents_row() -> None:
    fraud = only(evidence_of(with_pool(2, cumulative_spend=9)))
    assert fraud.difference == Difference("BadSpend", "pool 5", "cumulativeSpend", "0", "9")
    assert fraud.arguments[3] == []


def test_a_spend_under_an_unknown_parent_cannot_be_shown() -> None:
    evidence = replace(evidence_of(with_pool(2, cumulative_spend=9)), parent_bundle=None)
    assert found(evidence) == []
    without = replace(evidence, parent_header=None)
    assert found(without) == []


def test_a_row_of_a_pool_that_is_not_open_is_shown_by_itself() -> None:
    fraud = only(evidence_of(BUNDLE, pools=POOLS[:2]))
    _, pool_id, shown = fraud.arguments
    assert (fraud.function, pool_id) == ("badPool", 5)
    assert [leaf[0] for leaf in shown] == [BUNDLE.pool_rows[2].encode()]


def test_an_open_pool_without_a_row_is_shown_by_its_neighbours() -> None:
    between = (*POOLS[:2], PoolInput(3, TERMS, 0), POOLS[2])
    beyond = (*POOLS, PoolInput(9, TERMS, 0))
    for pools, pool_id, indices in ((between, 3, [1, 2]), (beyond, 9, [2])):
        fraud = only(evidence_of(BUNDLE, pools=pools))
        assert (fraud.function, fraud.arguments[1]) == ("badPool", pool_id)
        assert [leaf[1] for leaf in fraud.arguments[2]] == indices


def test_a_header_of_no_pools_leaves_out_every_open_one() -> None:
    bundle = replace(BUNDLE, pool_rows=(), node_rows=(), session_records=(), claims=())
    functions = names(found(evidence_of(bundle)))
    assert functions[:3] == ["badPool"] * 3


def test_rows_that_do_not_rise_are_shown_in_pairs() -> None:
    pools = replace(BUNDLE, pool_rows=BUNDLE.pool_rows[:2] + BUNDLE.pool_rows[1:])
    pools = replace(pools, node_rows=(*BUNDLE.node_rows, BUNDLE.node_rows[-1]))
    pools = replace(pools, session_records=(*BUNDLE.session_records, BUNDLE.session_records[-1]))
    first = found(evidence_of(pools))[0]
    assert isinstance(first, Fraud)
    assert first.function == "badOrder"
    assert first.difference == Difference("BadOrder", "pools, leaf 2", "key", "above 2", "2")
    _, above, left, right = first.arguments
    assert (above, left[1], right[1]) == ((), 1, 2)


def test_a_claim_is_shown_by_both_leaves_and_the_reward() -> None:
    account = BUNDLE.claims[0].account
    raised = ClaimLeaf(account, (BUNDLE.claims[0].entries[0] + 5,))
    fraud = only(evidence_of(with_claims(raised, *BUNDLE.claims[1:])))
    where = f"account 0x{account.hex()}, pool 1"
    assert fraud.difference == Difference("BadClaim", where, "entry", "150", "155")
    _, parent, shown_account, pool_id, evidence = fraud.arguments
    claims, parents, pool, nodes = evidence
    assert parent == header_words(FIRST.header)
    assert (shown_account, pool_id) == (account, 1)
    assert [claim[:2] for claim in claims] == [((account, raised.entries), 0)]
    # The one account of the parent is beyond this one, which shows that it had nothing.
    assert [claim[0][0] for claim in parents] == [FIRST.bundle.claims[0].account]
    assert [leaf[1] for leaf in pool] == [0]
    assert [leaf[0][:20] for leaf in nodes] == [account]


def test_a_claim_on_a_pool_that_is_not_open_needs_no_rows() -> None:
    bundle = with_claims(*BUNDLE.claims, ClaimLeaf(STRANGER, (entry_word(7, 1),)))
    fraud = only(evidence_of(bundle))
    assert (fraud.function, fraud.arguments[3]) == ("badClaim", 7)
    assert fraud.arguments[4][2:] == ([], [])


def test_a_leaf_that_is_no_claim_is_shown_by_itself() -> None:
    account = BUNDLE.claims[0].account
    word = BUNDLE.claims[0].entries[0]
    wrong: dict[str, tuple[int, ...]] = {
        "0": (),
        "257": tuple(entry_word(pool, 1) for pool in range(1, 258)),
        "pool 1": (word, word),
        "pool 0": (entry_word(0, 1), word),
        "pool 4294967296": (word, 1 << 160 | 1),
    }
    for text, entries in wrong.items():
        bundle = with_claims(ClaimLeaf(account, entries), *BUNDLE.claims[1:])
        fraud = only(evidence_of(bundle))
        assert (fraud.function, fraud.difference.found) == ("badClaimLeaf", text)
    nothing = with_claims(ClaimLeaf(account, (word, entry_word(9, 0))), *BUNDLE.claims[1:])
    assert only(evidence_of(nothing)).difference.expected == "more than 0"


def test_a_leaf_that_no_transaction_holds_is_demanded() -> None:
    """Nobody can answer: an answer has at most 256 entries in a leaf."""
    account = BUNDLE.claims[0].account
    entries = tuple(entry_word(pool, 1) for pool in range(1, 5000))
    for others in (BUNDLE.claims[1:], ()):
        evidence = evidence_of(with_claims(ClaimLeaf(account, entries), *others))
        (demand,) = (one for one in found(evidence) if isinstance(one, Demand))
        chunk = demand.chunk
        assert (chunk.tree, chunk.level, chunk.index) == (Tree.CLAIMS, 0, 0)
        for one in found(evidence):
            assert isinstance(one, Demand) or len(str(one.arguments)) < 50_000
        owed = Published(owed=frozenset([chunk]))
        assert "demand" not in names(list(find_frauds(evidence, owed)))


def test_claims_that_do_not_rise_are_shown_in_pairs() -> None:
    first = found(evidence_of(with_claims(*BUNDLE.claims[::-1])))[0]
    assert isinstance(first, Fraud)
    assert first.function == "badClaimsOrder"
    assert [leaf[1] for leaf in first.arguments[1:]] == [0, 1]


def test_another_parent_in_the_last_four_bytes_is_shown_by_the_parent() -> None:
    parent = HONEST.header.parent
    wrong = replace(HONEST.header, parent=parent[:28] + bytes(4))  # type: ignore[arg-type]
    fraud = only(evidence_of(BUNDLE, wrong))
    assert (fraud.function, fraud.difference.expected) == ("badParent", f"0x{parent.hex()}")
    assert fraud.arguments == (header_words(wrong), header_words(FIRST.header))


def test_a_header_that_is_not_the_parent_is_not_used() -> None:
    other = replace(FIRST.header, weight=1)
    evidence = replace(evidence_of(with_pool(2, cumulative_spend=9)), parent_header=other)
    assert found(evidence) == []


def test_rows_whose_weights_overflow_are_a_bad_sum() -> None:
    half = (1 << 127) + 1
    rows = tuple(
        PoolRow(number, bytes(32), 0, half, 0, 0)  # type: ignore[arg-type]
        for number in (1, 2)
    )
    honest = header_of(replace(BUNDLE, pool_rows=(), node_rows=(), session_records=()))

    top = parent_of(KIND, *(leaf_of(KIND, row.encode(), row.weight) for row in rows))
    header = replace(honest, pools_root=top.hash, pool_count=2, weight=2)
    bundle = replace(BUNDLE, pool_rows=rows, node_rows=(), session_records=())
    first = found(evidence_of(bundle, header))[0]
    assert isinstance(first, Fraud)
    assert (first.function, first.arguments[2][1]) == ("badSum", 1)
