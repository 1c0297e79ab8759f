"""Read settled epochs back from the chain and their bundles, into a database that lost them."""

from collections.abc import Callable, Iterable

from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.errors import StreamrP2PError
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.ledger import Merged, merge
from streamrp2p.numbers import Hash
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import PoolInput, header_of
from streamrp2p.typed_data import Domain
from streamrp2p.verify import Checked, leaf_fault
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.chain import Chain, Committing
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import ChainMismatchError
from streamrp2p_coordinator.repositories.results import EpochResults

Fetch = Callable[[Hash], bytes]
"""Gets the bundle of a hash from a mirror, or raises a StreamrP2PError."""
RECORDS_AT_ONCE = 10_000
"""How many are kept in one transaction."""


def restore_epochs(
    *,
    database: Database,
    chain: Chain,
    domain: Domain,
    bundles: Bundles,
    fetch: Fetch | None,
) -> list[int]:
    """Take over every committed epoch that the database does not have, and return their numbers.

    A bundle comes from `bundles` or else by `fetch`; its bytes must have the hash that the header names, and its trees
    the header's roots. Can be stopped and repeated. Raises ChainMismatchError where a bundle is missing or wrong, or
    the database's newest epoch is not the chain's: on top of it nothing can be restored.

    Of epochs that are not final, or whose header was voided, the valid records are kept too: such an epoch may have to
    be settled again, and a header without what was acknowledged loses the bond.
    """
    _check_newest(database, chain)
    restored: list[int] = []
    while True:
        with database.read() as store:
            epoch = store.epochs.first_unsettled()
        book = chain.book()
        if epoch >= book.next_epoch:
            break
        found = _committing(chain, epoch)
        bundle = _bundle(found.header, bundles, fetch)
        pools = chain.pool_inputs(epoch, chain.head())
        results = EpochResults.of(bundle, pools)
        if epoch >= book.finalised_epochs:
            _keep_records(bundle, pools, database, domain)
        with database.write() as store:
            store.epochs.close_intake(epoch)
            store.epochs.settle(epoch, found.header)
            store.epochs.commit(epoch, found.time, found.transaction)
            store.results.keep(results)
            for claim in bundle.claims:
                store.ledger.add_earning_pools(claim.account, claim.rewards())
        restored.append(epoch)
    while voided := chain.voided(epoch):
        pools = chain.pool_inputs(epoch, chain.head())
        for header in voided:
            try:
                bundle = _bundle(header, bundles, fetch)
            except StreamrP2PError:
                continue  # It may have been voided for want of its data.
            _keep_records(bundle, pools, database, domain)
        epoch += 1
    return restored


def _keep_records(
    bundle: Bundle, pools: Iterable[PoolInput], database: Database, domain: Domain
) -> None:
    """Merge the bundle's records into the ledger, but those that break a rule of a leaf."""
    signers = {pool.pool_id: pool.terms.ticket_signer for pool in pools}
    for first in range(0, len(bundle.session_records), RECORDS_AT_ONCE):
        encoded = bundle.session_records[first : first + RECORDS_AT_ONCE]
        # By session: a header of somebody else's may name one twice.
        valid = {
            record.session_id: Checked(record)
            for record in map(SessionRecord.decode, encoded)
            if (signer := signers.get(record.ticket.pool_id)) is not None
            and leaf_fault(record, domain, bundle.epoch, signer) is None
        }
        with database.write() as store:
            known = store.ledger.known(valid)
            judged = [merge(known.get(session_id), new) for session_id, new in valid.items()]
            merged = [each for each in judged if isinstance(each, Merged)]
            store.ledger.keep([each.kept for each in merged], known)
            store.ledger.keep_evidence([each.evidence for each in merged if each.evidence])


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
