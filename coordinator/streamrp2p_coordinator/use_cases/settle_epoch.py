"""Settle the next epoch whose intake is over: header, bundle and rewards."""

from collections.abc import Sequence

from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Address
from streamrp2p.settlement import GENESIS, Parent, PoolInput, Settlement, settle
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Network
from streamrp2p_coordinator.repositories.results import EpochResults


def settle_epoch(
    *,
    database: Database,
    chain: Chain,
    network: Network,
    bundles: Bundles,
    poster: Address,
    clock: Clock,
) -> EpochHeader | None:
    """Settle the lowest epoch without a header and return it; None when that is not due.

    An epoch is due when its intake is over by this clock and it has ended by the chain's, in a confirmed block: from
    then on nothing that settlement reads can change. The bundle is on the disk before the header is.

    A header that was taken for voided and stands after all (an RPC may answer from an older block) is made again.
    """
    with database.read() as store:
        epoch = store.epochs.first_unsettled()
        known = store.epochs.find(epoch)
    if clock() < network.epochs.intake_end(epoch):
        return None
    block = chain.head()
    if block.time < network.epochs.end(epoch):
        return None
    is_held = epoch < chain.book().next_epoch
    if is_held and (known is None or not known.is_voided):
        return None  # The chain holds a header that this database lost: `sync_headers` tells what to do.
    with database.write() as store:
        # Waits for batches that are being taken in; from here on there are none.
        store.epochs.close_intake(epoch)
    pools = chain.pool_inputs(epoch, block)
    settlement = _settlement(epoch, pools, database, network, bundles, poster)
    if is_held and not chain.commitment(epoch).holds(settlement.header):
        return None
    bundles.write(settlement.bundle)
    results = EpochResults.of(settlement.bundle, pools)
    with database.write() as store:
        if store.epochs.first_unsettled() != epoch:
            return None  # Another process was faster, with the same result.
        store.epochs.settle(epoch, settlement.header)
        store.results.keep(results)
    return settlement.header


def _settlement(
    epoch: int,
    pools: Sequence[PoolInput],
    database: Database,
    network: Network,
    bundles: Bundles,
    poster: Address,
) -> Settlement:
    with database.read() as store:
        parent_epoch = store.epochs.find(epoch - 1) if epoch else None
        sessions = store.ledger.sessions(epoch)
        # A former poster's signatures are not those of the one that commits.
        rejections = [
            rejection
            for rejection in store.ledger.rejections(epoch)
            if rejection.is_signed_by(poster, network.domain)
        ]
    parent = GENESIS
    if parent_epoch is not None and parent_epoch.header is not None:
        header = parent_epoch.header
        parent = Parent.of(header, bundles.read(header.data_hash))
    return settle(network.domain, epoch, parent, pools, sessions, rejections)
