"""Tell what an account earned."""

from streamrp2p import api
from streamrp2p.numbers import ZERO_ADDRESS, Address
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.repositories.store import Store

MAX_UINT64 = (1 << 64) - 1
"""A pool that signs its own tickets can let a node's sessions add up to more, which pays no more and shows no more."""


def show_earnings(account: Address, limit: int, *, database: Database) -> api.Earnings:
    """Return what an account earned by pool, and its newest `limit` rows by epoch. An unknown one earned nothing."""
    with database.read() as store:
        settled, final = store.epochs.newest_settled(), store.epochs.newest_final()
        by_settled = store.results.cumulative_rewards(account, settled.epoch) if settled else {}
        by_final = store.results.cumulative_rewards(account, final.epoch) if final else {}
        pools = [
            api.PoolEarning(
                pool_id=pool_id,
                token=_token(store, pool_id),
                settled=cumulative,
                final=by_final.get(pool_id, 0),
            )
            for pool_id, cumulative in sorted(by_settled.items())
        ]
        epochs = [
            api.EpochEarning(
                epoch=row.epoch,
                pool_id=row.pool_id,
                sessions=row.sessions,
                bytes_delivered=min(row.bytes_delivered, MAX_UINT64),
                bytes_on_time=min(row.bytes_on_time, MAX_UINT64),
                weight=row.weight,
                pool_weight=row.pool_weight,
                spend=row.spend,
                reward=row.reward,
            )
            for row in store.results.of_node(account, limit)
        ]
    return api.Earnings(account=account, pools=pools, epochs=epochs)


def _token(store: Store, pool_id: int) -> Address:
    pool = store.pools.find(pool_id)
    return ZERO_ADDRESS if pool is None else pool.token
