"""Read pools, their deposits and terms from the chain into the database."""

from streamrp2p.chain import PoolRecord
from streamrp2p.foreign_text import printable
from streamrp2p_coordinator.chain import Block, Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Network
from streamrp2p_coordinator.repositories.pools import KnownPool

MAX_URL_CHARACTERS = 2048
"""A streamer may write anything on chain. What is longer, or not printable, is no URL, and no database's business."""


def sync_pools(*, database: Database, chain: Chain, network: Network, clock: Clock) -> Block:
    """Bring the cache up to the newest confirmed block and return that block."""
    block = chain.head()
    with database.read() as store:
        before = store.pools.read_until()
    # Two reads may race: an older block never replaces a newer one.
    if before is None or block.number >= before.number:
        _read_pools(block, database, chain, network, clock)
    return block


def _read_pools(
    block: Block, database: Database, chain: Chain, network: Network, clock: Clock
) -> None:
    now, epochs = clock(), network.epochs
    current = epochs.at(max(now, epochs.genesis))
    block_epoch = epochs.at(max(block.time, epochs.genesis))
    # The oldest epoch whose intake may still be open.
    first = max(0, current - 1 - epochs.intake_grace_seconds // epochs.epoch_seconds)
    found = chain.pools(block)
    with database.read() as store:
        known = {pool.pool_id: pool for pool in store.pools.all()}
        over = {epoch: store.pools.pools_that_are_over(epoch) for epoch in range(first, current)}
    inputs = {current: chain.pool_inputs(current, block)}
    for epoch, have in over.items():
        # What a later block says of an epoch's terms and deposits holds for ever.
        if not {pool.pool_id for pool in found if pool.is_open_at(epoch)} <= have:
            inputs[epoch] = chain.pool_inputs(epoch, block)
    funded = {pool.pool_id: pool.funded for pool in inputs[current]}
    for pool in found:
        if pool.pool_id not in funded:
            # A pool that is closed takes no deposits.
            before = known.get(pool.pool_id)
            funded[pool.pool_id] = (
                chain.funded(pool.pool_id, current, block) if before is None else before.funded
            )
    with database.write() as store:
        at = store.pools.read_until()
        if at is not None and at.number > block.number:
            return
        store.pools.keep([_known(pool, funded[pool.pool_id]) for pool in found])
        for epoch, pools in inputs.items():
            store.pools.keep_inputs(
                epoch, pools, is_fixed=epoch <= block_epoch, is_over=epoch < block_epoch
            )
        store.pools.forget_terms(first)
        store.pools.mark_read(block, now)


def _known(pool: PoolRecord, funded: int) -> KnownPool:
    return KnownPool(
        pool_id=pool.pool_id,
        streamer=pool.streamer,
        token=pool.token,
        origin_key=pool.stream.origin_key,
        origin_url=printable(pool.stream.uri, MAX_URL_CHARACTERS),
        max_bytes_per_second=pool.stream.max_bytes_per_second,
        created_epoch=pool.created_epoch,
        closed_from_epoch=pool.closed_from_epoch,
        funded=funded,
    )
