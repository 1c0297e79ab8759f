"""Read pools, terms and the state of headers from the chain into the database."""

from streamrp2p.chain import PoolRecord
from streamrp2p.header import EpochHeader
from streamrp2p_coordinator.chain import Block, Chain, Commitment
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import ChainMismatchError
from streamrp2p_coordinator.network import Clock, Network
from streamrp2p_coordinator.repositories.epochs import StoredEpoch
from streamrp2p_coordinator.repositories.pools import KnownPool

DIGEST_BYTES = 28
"""What the book keeps of a header hash."""


def sync_chain(*, database: Database, chain: Chain, network: Network, clock: Clock) -> Block:
    """Bring the cache up to the newest confirmed block and return that block."""
    block = chain.head()
    with database.read() as store:
        before = store.pools.read_until()
    # Two reads may race: an older block never replaces a newer one.
    if before is None or block.number >= before.number:
        _read_pools(block, database, chain, network, clock)
    _read_headers(database, chain)
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
        fixed = {
            epoch: store.pools.pools_with_fixed_terms(epoch) for epoch in range(first, current)
        }
    inputs = {current: chain.pool_inputs(current, block)}
    for epoch, have in fixed.items():
        # What an epoch's own or a later block says of its terms holds for ever.
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
            terms = {pool.pool_id: pool.terms for pool in pools}
            store.pools.keep_terms(epoch, terms, is_fixed=epoch <= block_epoch)
        store.pools.forget_terms(first)
        store.pools.mark_read(block, now)


def _known(pool: PoolRecord, funded: int) -> KnownPool:
    return KnownPool(
        pool_id=pool.pool_id,
        streamer=pool.streamer,
        token=pool.token,
        origin_key=pool.stream.origin_key,
        origin_url=pool.stream.uri,
        max_bytes_per_second=pool.stream.max_bytes_per_second,
        created_epoch=pool.created_epoch,
        closed_from_epoch=pool.closed_from_epoch,
        funded=funded,
    )


def _read_headers(database: Database, chain: Chain) -> None:
    book = chain.book()
    with database.read() as store:
        pending = store.epochs.pending()
    committed = [stored.epoch for stored in pending if stored.committed_at is not None]
    standing = [epoch for epoch in committed if epoch < book.next_epoch]
    if len(standing) < len(committed):
        _void_from(committed[len(standing)], database)
        return
    # Each header names its parent: if the newest stands, so do those before it.
    newest = max(standing, default=None)
    for stored in pending:
        is_noted = stored.committed_at is not None and stored.commit_transaction is not None
        is_news = not is_noted or stored.epoch < book.finalised_epochs or stored.epoch == newest
        if stored.header is not None and stored.epoch < book.next_epoch and is_news:
            _compare(stored, stored.header, database, chain)
    with database.read() as store:
        first_unsettled = store.epochs.first_unsettled()
    if book.next_epoch > first_unsettled:
        raise ChainMismatchError(
            f"the chain holds headers up to epoch {book.next_epoch - 1}, this database settled none from "
            f"{first_unsettled} on; restore the database and bundles of the coordinator that committed them"
        )


def _compare(stored: StoredEpoch, header: EpochHeader, database: Database, chain: Chain) -> None:
    commitment = chain.commitment(stored.epoch)
    if not any(commitment.digest):
        return  # It was voided since the book was read; the next run sees that.
    if commitment.digest != header.hash()[:DIGEST_BYTES]:
        raise ChainMismatchError(_mismatch(header))
    _note(stored, header, commitment, database, chain)


def _note(
    stored: StoredEpoch,
    header: EpochHeader,
    commitment: Commitment,
    database: Database,
    chain: Chain,
) -> None:
    """Note that the chain holds the header, by which transaction, and whether it is final."""
    if stored.committed_at is None or stored.commit_transaction is None:
        with database.read() as store:
            transaction = store.transactions.mined("commit", commit_subject(header))
        committed_at = commitment.committed_at or stored.committed_at
        if committed_at is None or transaction is None:
            # Somebody else sent it, or its receipt was never seen: the logs know.
            found = chain.committing(header.epoch)
            if found is None:
                return
            committed_at, transaction = found.time, found.transaction
        with database.write() as store:
            store.epochs.commit(header.epoch, committed_at, transaction)
    if commitment.is_final:
        with database.write() as store:
            transaction = store.transactions.mined("finalise", str(header.epoch))
            store.epochs.finalise(header.epoch, transaction)


def commit_subject(header: EpochHeader) -> str:
    """Name the commit of a header among the poster's transactions."""
    return f"{header.epoch}:0x{header.hash().hex()}"


def _void_from(epoch: int, database: Database) -> None:
    """Take away the headers from `epoch` on: they are settled again from public data."""
    with database.write() as store:
        for stored in store.epochs.pending():
            if stored.epoch >= epoch and stored.header is not None:
                was_committed = stored.committed_at is not None
                store.epochs.unsettle(
                    stored.epoch, voided=stored.header.hash() if was_committed else None
                )
                store.results.forget(stored.epoch)


def _mismatch(header: EpochHeader) -> str:
    return (
        f"the chain holds another header of epoch {header.epoch} than the one settled here "
        f"(0x{header.hash().hex()}); somebody else posts for this book, or this database is an old copy. "
        "Nothing more is posted until the operator restores the right one"
    )
