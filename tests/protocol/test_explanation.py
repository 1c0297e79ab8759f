"""Why an account earned so much: the steps, and that they lead to what settlement pays."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrp2p import api
from streamrp2p.allocation import Terms
from streamrp2p.bundle import decode_bundle
from streamrp2p.errors import MalformedError, SettlementError
from streamrp2p.explanation import Explanation, PoolInEpoch, explain, explain_bundle
from streamrp2p.ledger import merge
from streamrp2p.numbers import Address, SessionId
from streamrp2p.settlement import GENESIS, Parent, PoolInput, Settlement, settle
from streamrp2p.signatures import address_of
from streamrp2p.tally import Tally
from streamrp2p.verify import Checked, Rejected
from tests.support.epochs import DOMAIN, NODES, TICKET_KEY, Epoch, epochs, signed_record

GB = 10**9
ACCOUNT, OTHER = NODES[:2]
TERMS = Terms(10, 1000, address_of(TICKET_KEY))
OWN = Tally(3, 5 * GB, 3 * GB - 1, 4 * GB - 1)


def state(weight: int, *, terms: Terms = TERMS, funded: int = 10**6, spent: int = 0) -> PoolInEpoch:
    return PoolInEpoch(PoolInput(1, terms, funded), spent, weight)


def explained(in_epoch: PoolInEpoch, own: Tally = OWN) -> api.PoolExplanation:
    (pool,) = api.Explanation.of(explain(ACCOUNT, 7, [in_epoch], {1: own})).pools
    return pool


def test_every_step_is_shown() -> None:
    pool = explained(state(16 * GB, spent=10**6 - 155))
    assert pool.dump() == {
        "poolId": 1,
        "sessions": 3,
        "bytesDelivered": "5000000000",
        "bytesOnTime": "2999999999",
        "weight": "3999999999",
        "poolWeight": "16000000000",
        "pricePerGB": "10",
        "worth": "160",
        "epochBudget": "1000",
        "funded": "1000000",
        "previousCumulativeSpend": "999845",
        "fundsLeft": "155",
        "spend": "155",
        "boundBy": "funds",
        "reward": "38",
    }


def test_half_bytes_that_were_rounded_off_are_counted() -> None:
    records = [
        signed_record(0, 1, 0, 0, delivery, nonce)
        for nonce, delivery in enumerate([(9, 4), (8, 4), (7, 7), (6, 1), (1, 0)])
    ]
    tally = sum(map(Tally.of, records), Tally())
    # The last has weight 0 and is left out; of the others' 5, 4, 0 and 5 late bytes 7 halves count.
    assert tally == Tally(4, 30, 16, 2 + 2 + 0 + 2 + 16)
    assert (tally.bytes_late, tally.rounded_sessions) == (14, 2)


@pytest.mark.parametrize(
    ("in_epoch", "bound_by", "spend"),
    [
        (state(4 * GB), "weight", 40),
        (state(100 * GB), "weight", 1000),
        (state(101 * GB), "budget", 1000),
        (state(101 * GB, funded=1000), "budget", 1000),
        (state(101 * GB, funded=999), "funds", 999),
        (state(4 * GB, funded=39), "funds", 39),
        (state(4 * GB, funded=0), "funds", 0),
        (state(4 * GB, funded=5, spent=6), "funds", 0),
        (state(4 * GB, terms=replace(TERMS, epoch_budget=0)), "budget", 0),
        (state(4 * GB, terms=replace(TERMS, price_per_gb=0)), "weight", 0),
    ],
)
def test_what_bounds_the_spend_is_named(in_epoch: PoolInEpoch, bound_by: str, spend: int) -> None:
    pool = explained(in_epoch)
    assert (pool.bound_by, pool.spend) == (bound_by, spend)


def test_an_account_without_weight_is_explained_by_nothing() -> None:
    assert explain(ACCOUNT, 7, [], {}) == Explanation(ACCOUNT, 7, ())
    assert explain(ACCOUNT, 7, [state(0)], {1: Tally()}).pools == ()


@pytest.mark.parametrize(
    ("in_epoch", "own", "reason"),
    [
        (state(4 * GB), {2: OWN}, "pool 2 is not open in epoch 7"),
        (state(4 * GB - 2), {1: OWN}, "above all nodes'"),
        (state(4 * GB), {1: replace(OWN, weight=OWN.weight + 1)}, "not that of its bytes"),
        (state(4 * GB), {1: replace(OWN, weight=OWN.weight - 2)}, "not that of its bytes"),
    ],
)
def test_weights_that_cannot_be_are_refused(
    in_epoch: PoolInEpoch, own: Mapping[int, Tally], reason: str
) -> None:
    with pytest.raises(SettlementError, match=reason):
        explain(ACCOUNT, 7, [in_epoch], own)


@pytest.mark.parametrize(
    "lie", [{"reward": 39}, {"spend": 156}, {"worth": 161}, {"bound_by": "budget"}]
)
def test_an_explanation_that_does_not_follow_from_itself_is_refused(lie: dict[str, object]) -> None:
    honest = api.Explanation.of(explain(ACCOUNT, 7, [state(16 * GB, spent=10**6 - 155)], {1: OWN}))
    assert api.Explanation.of(honest.recomputed()) == honest
    lying = honest.model_copy(update={"pools": [honest.pools[0].model_copy(update=lie)]})
    with pytest.raises(MalformedError, match="epoch 7 does not follow from its own figures"):
        lying.recomputed()


def in_progress(
    accounts: Iterable[Address], epoch: Epoch, number: int, parent: Parent
) -> dict[Address, Explanation]:
    """Explain an epoch as a coordinator does before it is settled: from running totals by pool and node."""
    running: defaultdict[Address, defaultdict[int, Tally]] = defaultdict(lambda: defaultdict(Tally))
    weights: defaultdict[int, int] = defaultdict(int)
    for record in epoch.records:
        running[record.ticket.node][record.ticket.pool_id] += Tally.of(record)
        weights[record.ticket.pool_id] += record.weight
    states = [
        PoolInEpoch(pool, parent.cumulative_spend.get(pool.pool_id, 0), weights[pool.pool_id])
        for pool in epoch.pools
    ]
    return {account: explain(account, number, states, running[account]) for account in accounts}


def claimed(settled: Settlement, account: Address) -> dict[int, int]:
    return next(
        (claim.rewards() for claim in settled.bundle.claims if claim.account == account), {}
    )


@settings(max_examples=60)
@given(epochs(0), epochs(1))
def test_estimate_settled_figure_bundle_and_claims_are_equal_to_the_unit(
    first: Epoch, second: Epoch
) -> None:
    parent, before = GENESIS, {account: dict[int, int]() for account in NODES}
    for number, epoch in enumerate((first, second)):
        estimates = in_progress(NODES, epoch, number, parent)
        settled = settle(DOMAIN, number, parent, epoch.pools, map(Checked, epoch.records))
        bundle = decode_bundle(settled.bundle.encode())
        rewards: defaultdict[int, list[int]] = defaultdict(list)
        for account in NODES:
            explanation = explain_bundle(bundle, epoch.pools, account)
            assert explanation == estimates[account]
            wire = api.Explanation.of(explanation)
            assert wire.recomputed() is not None
            rows = {
                row.pool_id: node.reward
                for row, nodes in bundle.by_pool()
                for node in nodes
                if node.node == account
            }
            assert {pool.pool_id: pool.reward for pool in explanation.pools} == rows
            after = claimed(settled, account)
            assert {
                pool_id: after.get(pool_id, 0) - before[account].get(pool_id, 0) for pool_id in rows
            } == rows
            before[account] = after
            for pool in explanation.pools:
                rewards[pool.pool_id].append(pool.reward)
        for row in bundle.pool_rows:
            left = row.spend - sum(rewards[row.pool_id])
            assert 0 <= left <= max(row.node_count - 1, 0)
        parent = Parent.of(settled.header, bundle)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(0, 9), st.integers(0, 9)),
        max_size=12,
    )
)
def test_a_running_tally_is_that_of_what_stands(
    arrivals: list[tuple[int, int, int, int]],
) -> None:
    """Whatever is replaced by what: sessions, sequences and bytes come in any order."""
    ledger: dict[SessionId, Checked] = {}
    running = [Tally()]
    for session, sequence, on_time, late in arrivals:
        record = signed_record(0, 1, 0, 0, (on_time + late, on_time), session)
        checked = Checked(replace(record, receipt=replace(record.receipt, sequence=sequence)))
        before = ledger.get(checked.session_id)
        merged = merge(before, checked)
        if not isinstance(merged, Rejected):
            ledger[checked.session_id] = merged.kept
            change = Tally.of(merged.kept.record)
            running.append(change if before is None else change - Tally.of(before.record))
    *_, total = accumulate(running)
    assert total == sum((Tally.of(one.record) for one in ledger.values()), Tally())
