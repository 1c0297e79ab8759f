"""The poster's transactions: recorded before they are sent, so that a crash never makes two of one.

All of this runs in the leader's term: one process at a time chooses nonces. Each nonce is taken once, and stays taken
until one of the transactions that were signed for it is mined.
"""

from streamrp2p.chain import Call
from streamrp2p.header import EpochHeader
from streamrp2p_coordinator.chain import Chain, SignedTransaction
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Signer
from streamrp2p_coordinator.repositories.transactions import Purpose, RecordedTransaction

URGENT: frozenset[Purpose] = frozenset({"answer"})
"""What has a deadline that the bond hangs on."""


def is_under_way(database: Database, purpose: Purpose, subject: str | None = None) -> bool:
    """Tell whether a transaction of that purpose (and subject) waits to be mined."""
    with database.read() as store:
        return any(
            live.purpose == purpose and subject in (None, live.subject)
            for live in store.transactions.live()
        )


def record_and_send(
    call: Call,
    purpose: Purpose,
    subject: str,
    *,
    database: Database,
    chain: Chain,
    poster: Signer,
    clock: Clock,
) -> SignedTransaction:
    """Sign, record durably, then send. If the sending fails, `send_transactions` repeats it.

    Raises TransactionRevertedError, naming the contract's reason, when the call would fail,
    and FeeCeilingError while gas is too dear; nothing is recorded then.
    """
    with database.read() as store:
        own = store.transactions.next_nonce()
    # The database knows best what was signed here. The chain knows more only when the key was used elsewhere.
    nonce = max(own, chain.transaction_count(poster.address, "pending"))
    signed = chain.sign(call, poster.private_key, nonce, is_urgent=purpose in URGENT)
    with database.write() as store:
        store.transactions.record(
            RecordedTransaction(purpose, subject, signed, call, "live", clock())
        )
    chain.send(signed)
    return signed


def was_unmined(
    purpose: Purpose, subject: str, *, database: Database, chain: Chain, poster: Signer
) -> bool:
    """Tell whether what was mined for a subject has left the chain's blocks again: it is about to be sent anew."""
    with database.read() as store:
        mined = store.transactions.mined(purpose, subject)
    if mined is None:
        return False
    return chain.transaction_count(poster.address, "latest") <= mined.signed.nonce


def commit_subject(header: EpochHeader) -> str:
    """Name the commit of a header among the poster's transactions."""
    return f"{header.epoch}:0x{header.hash().hex()}"
