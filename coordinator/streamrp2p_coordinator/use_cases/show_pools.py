"""Tell which pools there are, with their terms of the current epoch."""

from streamrp2p import api
from streamrp2p.allocation import Terms
from streamrp2p.numbers import ZERO_ADDRESS
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import NotFoundError
from streamrp2p_coordinator.network import Clock, Network
from streamrp2p_coordinator.repositories.pools import KnownPool

NO_TERMS = Terms(0, 0, ZERO_ADDRESS)
"""What the chain says of a pool that is not open."""


def show_pools(
    pool_id: int | None = None, *, database: Database, network: Network, clock: Clock
) -> list[api.Pool]:
    """Return one pool, or all; raises NotFoundError when there is no such pool."""
    epoch = network.epochs.at(max(clock(), network.epochs.genesis))
    with database.read() as store:
        terms = store.pools.terms(epoch)
        if pool_id is None:
            pools = store.pools.all()
        else:
            found = store.pools.find(pool_id)
            pools = [] if found is None else [found]
    if pool_id is not None and not pools:
        raise NotFoundError(
            f"there is no pool {pool_id}, or the block that has it is not confirmed; see /v1/pools"
        )
    return [_pool(pool, terms.get(pool.pool_id, NO_TERMS)) for pool in pools]


def _pool(pool: KnownPool, terms: Terms) -> api.Pool:
    return api.Pool(
        pool_id=pool.pool_id,
        streamer=pool.streamer,
        token=pool.token,
        origin_key=pool.origin_key,
        origin_url=pool.origin_url,
        max_bytes_per_second=pool.max_bytes_per_second,
        created_epoch=pool.created_epoch,
        closed_from_epoch=pool.closed_from_epoch,
        terms=api.Terms(
            price_per_gb=terms.price_per_gb,
            epoch_budget=terms.epoch_budget,
            ticket_signer=terms.ticket_signer,
        ),
        funded=pool.funded,
    )
