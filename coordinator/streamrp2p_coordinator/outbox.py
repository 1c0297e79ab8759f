"""The poster's transactions: recorded before they are sent, so that a crash never makes two of one.

All of this runs under the database's lock `poster`: one process at a time chooses nonces.
"""

from streamrp2p.chain import Call
from streamrp2p.header import EpochHeader
from streamrp2p_coordinator.chain import Chain, SignedTransaction
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Signer
from streamrp2p_coordinator.repositories.transactions import Purpose, RecordedTransaction


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

    Raises TransactionRevertedError, naming the contract's reason, when the call would fail; nothing is recorded then.
    """
    with database.read() as store:
        taken = store.transactions.live_nonces()
    nonce = chain.transaction_count(poster.address, pending=True)
    # The lowest free one: those after a nonce that nothing takes would wait for ever.
    while nonce in taken:
        nonce += 1
    signed = chain.sign(call, poster.private_key, nonce)
    with database.write() as store:
        store.transactions.record(
            RecordedTransaction(purpose, subject, signed, call, "live", clock())
        )
    chain.send(signed)
    return signed


def commit_subject(header: EpochHeader) -> str:
    """Name the commit of a header among the poster's transactions."""
    return f"{header.epoch}:0x{header.hash().hex()}"
