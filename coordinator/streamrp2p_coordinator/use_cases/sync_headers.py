"""Note what became of the headers that were settled here: committed, final or voided."""

from collections.abc import Iterable

from streamrp2p.header import EpochHeader
from streamrp2p_coordinator.chain import Chain, Commitment
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import ChainMismatchError
from streamrp2p_coordinator.outbox import commit_subject, is_commit_mined, was_unmined
from streamrp2p_coordinator.repositories.epochs import StoredEpoch
from streamrp2p_coordinator.repositories.store import Store


def sync_headers(*, database: Database, chain: Chain) -> list[int]:
    """Compare the settled headers with the book; takes voided ones away, so that they are settled again.

    Returns the epochs whose headers were voided.

    Raises ChainMismatchError when the book holds headers that were not made here.
    """
    # In this order: a commit that is noted meanwhile must not look like one that the book lost.
    with database.read() as store:
        newest_final = store.epochs.newest_final()
        pending = store.epochs.pending()
        committed = _committed(pending, store)
    book = chain.book()
    if newest_final is not None and newest_final.epoch >= book.finalised_epochs:
        with database.write() as store:
            store.epochs.reopen_from(book.finalised_epochs)
            pending = store.epochs.pending()
            committed = _committed(pending, store)
    standing = [epoch for epoch in committed if epoch < book.next_epoch]
    if len(standing) < len(committed):
        return _lost(committed[len(standing)], database, chain)
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
            f"{first_unsettled} on; restore its backup, or read them back with: streamrp2p coordinator restore"
        )
    return []


def _compare(stored: StoredEpoch, header: EpochHeader, database: Database, chain: Chain) -> None:
    commitment = chain.commitment(stored.epoch)
    if not any(commitment.digest):
        return  # It was voided since the book was read; the next run sees that.
    if not commitment.holds(header):
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
            mined = store.transactions.mined("commit", commit_subject(header))
        transaction = None if mined is None else mined.signed.hash
        committed_at = commitment.committed_at or stored.committed_at
        if committed_at is None or transaction is None or stored.voided_header_hash is not None:
            # Somebody else sent it, its receipt was never seen, or it was committed twice: the logs know.
            found = chain.committing(header.epoch)
            if found is None:
                return
            committed_at, transaction = found.time, found.transaction
        with database.write() as store:
            store.epochs.commit(header.epoch, committed_at, transaction)
    if commitment.is_final:
        with database.write() as store:
            mined = store.transactions.mined("finalise", str(header.epoch))
            store.epochs.finalise(header.epoch, None if mined is None else mined.signed.hash)


def _committed(pending: Iterable[StoredEpoch], store: Store) -> list[int]:
    """Return the epochs whose headers the chain has held, as far as it was told to this database."""
    return [stored.epoch for stored in pending if _was_committed(stored, store)]


def _was_committed(stored: StoredEpoch, store: Store) -> bool:
    if stored.header is None:
        return False
    if stored.committed_at is not None:
        return True
    # A header that was voided at once is known by its transaction alone; once it was taken away, that is no news.
    return is_commit_mined(stored, stored.header, store)


def _lost(epoch: int, database: Database, chain: Chain) -> list[int]:
    """Take away the headers from `epoch` on: they are settled again from public data.

    If a reorganisation took the commit of the first out of its block, it is on its way again: then all of them stand,
    and only wait to be noted anew.
    """
    with database.read() as store:
        first = store.epochs.find(epoch)
    if first is None or first.header is None:
        return []
    subject = commit_subject(first.header)
    # It was taken back since the transactions were last followed, or the RPC answered from an older block just now.
    if was_unmined("commit", subject, database=database, chain=chain):
        return []
    if chain.commitment(epoch).holds(first.header):
        return []
    voided: list[int] = []
    with database.write() as store:
        if store.transactions.is_live("commit", subject):
            store.epochs.uncommit_from(epoch)
            return []
        for stored in store.epochs.pending():
            if stored.epoch >= epoch and stored.header is not None:
                was_committed = _was_committed(stored, store)
                store.epochs.unsettle(
                    stored.epoch, voided=stored.header.hash() if was_committed else None
                )
                store.results.forget(stored.epoch)
                if was_committed:
                    voided.append(stored.epoch)
    return voided


def _mismatch(header: EpochHeader) -> str:
    return (
        f"the chain holds another header of epoch {header.epoch} than the one settled here "
        f"(0x{header.hash().hex()}); somebody else posts for this book, or this database is an old copy. "
        "Nothing more is posted until the operator restores the right one"
    )
