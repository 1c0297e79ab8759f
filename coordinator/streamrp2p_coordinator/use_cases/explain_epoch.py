"""Tell why an account earns so much in an epoch: by what came in so far, or by what was settled."""

from collections.abc import Mapping
from dataclasses import dataclass

from streamrp2p import api
from streamrp2p.explanation import PoolInEpoch, explain
from streamrp2p.numbers import Address
from streamrp2p.settlement import PoolInput
from streamrp2p.tally import Tally
from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import NotFoundError
from streamrp2p_coordinator.judgement import wire_rejection
from streamrp2p_coordinator.network import Clock, Network
from streamrp2p_coordinator.repositories.epochs import StoredEpoch
from streamrp2p_coordinator.repositories.store import Store
from streamrp2p_coordinator.use_cases.show_epochs import state_of

MAX_REFUSALS = 1000
"""How many of an account's refusals are shown; the bundle has all."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """An account's tallies, and its pools' weights and inputs by epoch and pool, after what they had spent by then.

    Weights begin with the first epoch that is not settled: what is spent in it bounds what the next can spend.
    """

    own: Mapping[int, Tally]
    weights: Mapping[int, Mapping[int, int]]
    inputs: Mapping[int, Mapping[int, PoolInput]]
    spent: Mapping[int, int]


def explain_epoch(
    account: Address,
    epoch: int,
    *,
    database: Database,
    chain: Chain,
    network: Network,
    clock: Clock,
) -> api.AccountEpoch:
    """Explain an account's epoch and show its refusals. An account without sessions has no pools.

    The chain is asked only for terms and deposits that were never read here, or not kept. Raises NotFoundError for an
    epoch that has not begun.
    """
    now = clock()
    if now < network.epochs.start(epoch):
        raise NotFoundError(f"epoch {epoch} has not begun; ask for an earlier one, see /v1/epochs")
    with database.read() as store:
        stored = store.epochs.find(epoch) or StoredEpoch(epoch)
        is_settled = stored.header is not None
        facts = _settled(store, epoch, account) if is_settled else _so_far(store, epoch, account)
        count, refusals = store.ledger.rejections_of(account, epoch, MAX_REFUSALS)
    explained = explain(account, epoch, _states(facts, chain), facts.own)
    return api.AccountEpoch(
        state=state_of(stored, network, now),
        is_settled=is_settled,
        explanation=api.Explanation.of(explained),
        refusal_count=count,
        refusals=list(map(wire_rejection, refusals)),
    )


def _settled(store: Store, epoch: int, account: Address) -> _Facts:
    shares = store.results.shares(epoch, account)
    return _Facts(
        own={share.pool_id: share.own for share in shares},
        weights={epoch: {share.pool_id: share.pool_weight for share in shares}},
        inputs={epoch: {share.pool_id: share.pool for share in shares if share.pool is not None}},
        spent={share.pool_id: share.previous_cumulative_spend for share in shares},
    )


def _so_far(store: Store, epoch: int, account: Address) -> _Facts:
    own = store.ledger.tallies(epoch, account)
    first = store.epochs.first_unsettled()
    return _Facts(
        own=own,
        weights=store.ledger.weights(first, epoch, own),
        inputs=store.pools.inputs(first, epoch, own),
        spent=store.results.cumulative_spends(first - 1, own),
    )


def _states(facts: _Facts, chain: Chain) -> list[PoolInEpoch]:
    """Follow the pools' spends from epoch to epoch; their states in the last one."""
    spent = dict(facts.spent)
    states: list[PoolInEpoch] = []
    for at, weights in sorted(facts.weights.items()):
        inputs = facts.inputs.get(at, {})
        if not weights.keys() <= inputs.keys():
            inputs = {pool.pool_id: pool for pool in chain.pool_inputs(at, chain.head())}
        states = [
            PoolInEpoch(inputs[pool_id], spent.get(pool_id, 0), weight)
            for pool_id, weight in sorted(weights.items())
            if pool_id in inputs
        ]
        for state in states:
            spent[state.pool.pool_id] = state.previous_cumulative_spend + state.spend
    return states
