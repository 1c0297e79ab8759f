"""Follow the recorded transactions until they are mined, sending them again as needed."""

from streamrp2p.chain import Call, TransactionRevertedError
from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Signer
from streamrp2p_coordinator.outbox import record_and_send
from streamrp2p_coordinator.repositories.transactions import RecordedTransaction, State

PATIENCE_SECONDS = 60
"""After this long in the open a transaction is signed again with the same nonce and today's fees."""


def send_transactions(
    *, database: Database, chain: Chain, poster: Signer, clock: Clock
) -> list[RecordedTransaction]:
    """Send every live transaction again and mark those that are done; returns those that ended.

    Safe at any time: the same bytes have the same hash and nonce, so the chain takes them once.
    """
    with database.read() as store:
        live = store.transactions.live()
    if not live:
        return []
    mined_nonces = chain.transaction_count(poster.address, pending=False)
    ended: list[RecordedTransaction] = []
    for transaction in live:
        state = _state(transaction, chain, mined_nonces)
        if state == "live":
            state = _send_again(transaction, database, chain, poster, clock)
        if state != "live":
            with database.write() as store:
                store.transactions.mark(transaction.signed.hash, state)
            ended.append(transaction.in_state(state))
    _fill_gap(database, chain, poster, clock)
    return ended


def _fill_gap(database: Database, chain: Chain, poster: Signer, clock: Clock) -> None:
    """Use a nonce up that nothing takes any more, if others wait behind it: no block takes them before.

    A transaction that was given up leaves such a nonce when the RPC forgot it too.
    """
    with database.read() as store:
        live = store.transactions.live()
    # An RPC may be behind with what was just sent.
    waiting = [one for one in live if clock() - one.recorded_at >= PATIENCE_SECONDS]
    if not waiting:
        return
    free = chain.transaction_count(poster.address, pending=True)
    if free < min(one.signed.nonce for one in live):
        record_and_send(
            Call(poster.address, b""),
            "fill",
            str(free),
            database=database,
            chain=chain,
            poster=poster,
            clock=clock,
        )


def _state(transaction: RecordedTransaction, chain: Chain, mined_nonces: int) -> State:
    was_mined = chain.was_mined(transaction.signed.hash)
    if was_mined is not None:
        return "mined" if was_mined else "reverted"
    # Another transaction took the nonce: this one can never be mined.
    return "dropped" if transaction.signed.nonce < mined_nonces else "live"


def _send_again(
    transaction: RecordedTransaction,
    database: Database,
    chain: Chain,
    poster: Signer,
    clock: Clock,
) -> State:
    if clock() - transaction.recorded_at < PATIENCE_SECONDS:
        chain.send(transaction.signed)
        return "live"
    try:
        dearer = chain.sign(transaction.call, poster.private_key, transaction.signed.nonce)
    except TransactionRevertedError:
        # What it was for has come about otherwise: its nonce is free for the next one.
        return "dropped"
    if dearer.hash != transaction.signed.hash:
        with database.write() as store:
            store.transactions.record(transaction.replaced_by(dearer, clock()))
    chain.send(dearer)
    return "live"
