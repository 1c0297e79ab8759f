"""Read settled epochs back from the chain and their bundles, into a database that lost them."""

from collections.abc import Callable

from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Hash
from streamrp2p.settlement import header_of
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.chain import Chain, Committing
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import ChainMismatchError
from streamrp2p_coordinator.repositories.results import EpochResults

Fetch = Callable[[Hash], bytes]
"""Gets the bundle of a hash from a mirror, or raises a StreamrP2PError."""


def restore_epochs(
    *, database: Database, chain: Chain, bundles: Bundles, fetch: Fetch | None
) -> list[int]:
    """Take over every committed epoch that the database does not have, and return their numbers.

    A bundle comes from `bundles` or else by `fetch`; its bytes must have the hash that the header names, and its trees
    the header's roots. Can be stopped and repeated. Raises ChainMismatchError where a bundle is missing or wrong, or
    the database's newest epoch is not the chain's: on top of it nothing can be restored.
    """
    _check_newest(database, chain)
    restored: list[int] = []
    while True:
        with database.read() as store:
            epoch = store.epochs.first_unsettled()
        if epoch >= chain.book().next_epoch:
            return restored
        found = _committing(chain, epoch)
        bundle = _bundle(found.header, bundles, fetch)
        results = EpochResults.of(bundle, chain.pool_inputs(epoch, chain.head()))
        with database.write() as store:
            store.epochs.close_intake(epoch)
            store.epochs.settle(epoch, found.header)
            store.epochs.commit(epoch, found.time, found.transaction)
            store.results.keep(results)
            for claim in bundle.claims:
                store.ledger.add_earning_pools(claim.account, claim.rewards())
        restored.append(epoch)


def _check_newest(database: Database, chain: Chain) -> None:
    with database.read() as store:
        newest = min(store.epochs.first_unsettled(), chain.book().next_epoch) - 1
        known = store.epochs.find(newest) if newest >= 0 else None
    if known is not None and known.header != _committing(chain, newest).header:
        raise ChainMismatchError(
            f"the database holds another header of epoch {newest} than the chain: restore into a new, "
            "empty database (another database_url)"
        )


def _committing(chain: Chain, epoch: int) -> Committing:
    found = chain.committing(epoch)
    if found is None:
        raise ChainMismatchError(f"the RPC shows no commit of epoch {epoch}; use one with all logs")
    return found


def _bundle(header: EpochHeader, bundles: Bundles, fetch: Fetch | None) -> Bundle:
    if bundles.has(header.data_hash):
        bundle = bundles.read(header.data_hash)
    elif fetch is None:
        raise ChainMismatchError(
            f"the bundle of epoch {header.epoch} (0x{header.data_hash.hex()}) is not in the bundle folder; "
            "put it there, or name a mirror with --mirror"
        )
    else:
        data = fetch(header.data_hash)
        if keccak(data) != header.data_hash:
            raise ChainMismatchError(
                f"the mirror sent another bundle for epoch {header.epoch}; use another"
            )
        bundle = decode_bundle(data)
    if header_of(bundle) != header:
        raise ChainMismatchError(
            f"the bundle of epoch {header.epoch} does not lead to the header on chain; audit that epoch"
        )
    if not bundles.has(header.data_hash):
        bundles.write(bundle)
    return bundle
