"""The poster's transactions: recorded before they are sent, so that a crash never makes two of one.

All of this runs in the leader's term: one process at a time chooses nonces. Each nonce of a key is taken once, and
stays taken until one of the transactions that were signed for it is mined.
"""

from collections.abc import Iterable
from contextlib import suppress

from streamrp2p.chain import Call, TransactionRevertedError
from streamrp2p.header import EpochHeader
from streamrp2p_coordinator.chain import Chain, SignedTransaction
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Signer
from streamrp2p_coordinator.repositories.epochs import StoredEpoch
from streamrp2p_coordinator.repositories.store import Store
from streamrp2p_coordinator.repositories.transactions import Purpose, RecordedTransaction


def is_under_way(
    database: Database, poster: Signer, purpose: Purpose, subject: str | None = None
) -> bool:
    """Tell whether a transaction of the poster's of that purpose (and subject) waits to be mined."""
    with database.read() as store:
        return any(
            live.purpose == purpose and subject in (None, live.subject)
            for live in store.transactions.live(poster.address)
        )


def seconds_left(due: Iterable[int | None], now: int) -> int | None:
    """Return the time until the nearest deadline that is still to come; None if there is none."""
    return min((at - now for at in due if at is not None and at > now), default=None)


def record_and_send(
    call: Call,
    purpose: Purpose,
    subject: str,
    *,
    database: Database,
    chain: Chain,
    poster: Signer,
    clock: Clock,
    due_at: int | None = None,
) -> SignedTransaction:
    """Sign, record durably, then send. If the sending fails, `send_transactions` repeats it.

    What must be mined before a deadline, `due_at`, may offer more for its gas.

    Raises TransactionRevertedError, naming the contract's reason, when the call would fail,
    and FeeCeilingError while gas is too dear; nothing is recorded then.
    """
    with database.read() as store:
        own = store.transactions.next_nonce(poster.address)
    # The database knows best what was signed here. The chain knows more only when the key was used elsewhere.
    nonce = max(own, chain.transaction_count(poster.address, "pending"))
    now = clock()
    left = seconds_left([due_at], now)
    signed = chain.sign(call, poster.private_key, nonce, seconds_left=left)
    with database.write() as store:
        store.transactions.record(
            RecordedTransaction(poster.address, purpose, subject, signed, call, "live", now, due_at)
        )
    # What somebody else did since it was tried: it is recorded, and its nonce must be used.
    with suppress(TransactionRevertedError):
        chain.send(signed)
    return signed


def was_unmined(purpose: Purpose, subject: str, *, database: Database, chain: Chain) -> bool:
    """Tell whether what was mined for a subject has left the chain's blocks again: it is about to be sent anew."""
    with database.read() as store:
        mined = store.transactions.mined(purpose, subject)
    if mined is None:
        return False
    return chain.transaction_count(mined.sender, "latest") <= mined.signed.nonce


def is_commit_mined(stored: StoredEpoch, header: EpochHeader, store: Store) -> bool:
    """Tell whether a transaction committed the header of `stored`, and no void of it was noted since."""
    return (
        stored.voided_header_hash != header.hash()
        and store.transactions.mined("commit", commit_subject(header)) is not None
    )


def commit_subject(header: EpochHeader) -> str:
    """Name the commit of a header among the poster's transactions."""
    return f"{header.epoch}:0x{header.hash().hex()}"
