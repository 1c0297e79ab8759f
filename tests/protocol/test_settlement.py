from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrp2p.allocation import Terms
from streamrp2p.bundle import decode_bundle
from streamrp2p.claims_tree import ClaimLeaf, entry_word
from streamrp2p.errors import SettlementError, TooManyPoolsError, TreeError
from streamrp2p.numbers import ZERO_HASH, Address
from streamrp2p.settlement import (
    GENESIS,
    Parent,
    PoolInput,
    Settlement,
    header_of,
    nodes_tree,
    pools_tree,
    sessions_tree,
    settle,
)
from streamrp2p.signatures import address_of
from streamrp2p.verify import Checked
from tests.support.epochs import DOMAIN, NODES, TICKET_KEY, Epoch, epochs, signed_record

GB = 10**9
TERMS = Terms(10, 1000, address_of(TICKET_KEY))


def pool(pool_id: int, funded: int = 10**6, terms: Terms = TERMS) -> PoolInput:
    return PoolInput(pool_id, terms, funded)


def session(pool_id: int, node: int, delivered: int, *, epoch: int = 0, nonce: int = 0) -> Checked:
    return Checked(signed_record(epoch, pool_id, node, 0, (delivered, delivered), nonce))


def rewards(settled: Settlement) -> dict[tuple[int, Address], int]:
    return {
        (row.pool_id, node.node): node.reward
        for row, nodes in settled.bundle.by_pool()
        for node in nodes
    }


def test_an_empty_epoch_has_a_row_for_each_open_pool() -> None:
    settled = settle(DOMAIN, 0, GENESIS, [pool(3), pool(5)], [])
    assert [(row.pool_id, row.nodes_root, row.node_count, row.spend) for row in settled.bundle.pool_rows] == [
        (3, ZERO_HASH, 0, 0),
        (5, ZERO_HASH, 0, 0),
    ]  # fmt: skip
    assert settled.header.claims_root == ZERO_HASH
    assert (settled.header.pool_count, settled.header.claim_count, settled.header.weight) == (
        2,
        0,
        0,
    )


def test_an_epoch_without_pools_is_settled_too() -> None:
    header = settle(DOMAIN, 0, GENESIS, [], []).header
    assert (header.pools_root, header.pool_count, header.parent) == (ZERO_HASH, 0, ZERO_HASH)


def test_nodes_share_their_pools_spend_by_weight() -> None:
    settled = settle(
        DOMAIN,
        0,
        GENESIS,
        [pool(1), pool(2)],
        [session(1, 0, 6 * GB), session(1, 1, 3 * GB, nonce=1), session(2, 0, GB, nonce=2)],
    )
    assert rewards(settled) == {(1, NODES[0]): 60, (1, NODES[1]): 30, (2, NODES[0]): 10}
    assert [row.spend for row in settled.bundle.pool_rows] == [90, 10]
    assert settled.header.weight == 10 * GB


def test_the_next_epoch_builds_on_the_parents_spend_and_claims() -> None:
    first = settle(DOMAIN, 0, GENESIS, [pool(1, funded=100)], [session(1, 0, 6 * GB)])
    parent = Parent.of(first.header, decode_bundle(first.bundle.encode()))
    second = settle(DOMAIN, 1, parent, [pool(1, funded=100)], [session(1, 1, 9 * GB, epoch=1)])
    # 90 was earned, but only 40 is left of the deposit.
    assert second.bundle.pool_rows[0].spend == 40
    assert second.bundle.pool_rows[0].cumulative_spend == 100
    assert second.header.parent == first.header.hash()
    assert second.bundle.claims == tuple(
        sorted(
            (ClaimLeaf(NODES[0], (entry_word(1, 60),)), ClaimLeaf(NODES[1], (entry_word(1, 40),))),
            key=lambda claim: claim.account,
        )
    )


def test_a_pool_that_opens_later_starts_at_zero() -> None:
    parent = Parent(cumulative_spend={1: 60})
    settled = settle(DOMAIN, 1, parent, [pool(1), pool(2)], [])
    assert [row.cumulative_spend for row in settled.bundle.pool_rows] == [60, 0]


def test_the_header_commits_to_rows_claims_and_bytes() -> None:
    settled = settle(DOMAIN, 0, GENESIS, [pool(1)], [session(1, 0, 6 * GB)])
    bundle = settled.bundle
    assert settled.header == header_of(bundle)
    assert settled.header.pools_root == pools_tree(bundle.pool_rows).top.hash
    assert settled.header.data_hash == bundle.data_hash()
    assert bundle.pool_rows[0].nodes_root == nodes_tree(bundle.node_rows).top.hash
    tree = sessions_tree(bundle.session_records, [6 * GB])
    assert bundle.node_rows[0].sessions_root == tree.top.hash


def test_a_session_of_a_pool_that_is_not_open_is_an_error() -> None:
    with pytest.raises(SettlementError, match=r"not open in epoch 4: \[2\]"):
        settle(DOMAIN, 4, GENESIS, [pool(1)], [session(2, 0, GB)])


def test_pools_out_of_order_and_sessions_twice_are_errors() -> None:
    with pytest.raises(TreeError, match="pool keys"):
        settle(DOMAIN, 0, GENESIS, [pool(2), pool(1)], [])
    with pytest.raises(TreeError, match="session keys"):
        settle(DOMAIN, 0, GENESIS, [pool(1)], [session(1, 0, GB)] * 2)


def test_a_257th_pool_is_an_error() -> None:
    full = ClaimLeaf(NODES[0], tuple(entry_word(pool_id, 1) for pool_id in range(2, 258)))
    with pytest.raises(TooManyPoolsError):
        settle(DOMAIN, 1, Parent(claims=(full,)), [pool(1)], [session(1, 0, GB)])


@settings(max_examples=30)
@given(epochs(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(epoch: Epoch, random: Random) -> None:
    records, rejections = list(epoch.records), list(epoch.rejections) * 2
    random.shuffle(records)
    random.shuffle(rejections)
    one = settle(DOMAIN, 0, GENESIS, epoch.pools, map(Checked, epoch.records), epoch.rejections)
    other = settle(DOMAIN, 0, GENESIS, epoch.pools, map(Checked, records), rejections)
    assert one == other


@settings(max_examples=30)
@given(epochs())
def test_no_pool_owes_more_than_it_was_funded(epoch: Epoch) -> None:
    settled = settle(DOMAIN, 0, GENESIS, epoch.pools, map(Checked, epoch.records))
    owed: dict[int, int] = {}
    for claim in settled.bundle.claims:
        for pool_id, reward in claim.rewards().items():
            owed[pool_id] = owed.get(pool_id, 0) + reward
    for each in epoch.pools:
        assert owed.get(each.pool_id, 0) <= each.funded
