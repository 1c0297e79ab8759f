"""Send what waits to be mined again, and replace what waits for too long."""

from contextlib import suppress

from streamrp2p.chain import Call, NonceTooLowError, RpcRefusedError, TransactionRevertedError
from streamrp2p_coordinator.chain import Chain, SignedTransaction
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Signer
from streamrp2p_coordinator.outbox import seconds_left
from streamrp2p_coordinator.repositories.transactions import RecordedTransaction

PATIENCE_SECONDS = 60
"""After this long in the open a transaction is signed again with the same nonce and higher fees."""
URGENT_PATIENCE_SECONDS = 15
"""Instead, while anything that has a deadline waits, and less when it is near."""
TRIES_LEFT = 8
"""So often at least it is signed again in the time that is left."""


def patience_seconds(left: int | None) -> int:
    """Return how long to wait before more is offered, `left` seconds before a deadline (None: without one)."""
    if left is None:
        return PATIENCE_SECONDS
    return min(URGENT_PATIENCE_SECONDS, left // TRIES_LEFT)


def send_transactions(*, database: Database, chain: Chain, poster: Signer, clock: Clock) -> None:
    """Send the newest transaction of every live nonce; replace that of the lowest one, which the others wait for.

    Safe at any time: the same bytes have the same hash and nonce, so the chain takes them once.

    Raises FeeCeilingError when a replacement would have to offer too much: what was sent stays there.
    """
    with database.read() as store:
        live = store.transactions.live(poster.address)
    newest = {one.signed.nonce: one for one in live}
    for transaction in newest.values():
        # Another of this nonce was mined or offers more, gas became too dear for this one, or it would revert now and
        # this RPC takes none that does: that is for later looks.
        with suppress(NonceTooLowError, RpcRefusedError, TransactionRevertedError):
            chain.send(transaction.signed)
    if not newest:
        return
    first = newest[min(newest)]
    now = clock()
    # Whatever is before one that has a deadline has it too.
    left = seconds_left((one.due_at for one in live), now)
    # What seems to be of a time to come is old: the clock was set back, and nobody waits for it to catch up.
    if 0 <= now - first.recorded_at < patience_seconds(left):
        return
    free = chain.transaction_count(poster.address, "pending")
    if free < first.signed.nonce:
        # Somebody else's transaction was before it, and is gone: no block takes what comes after the gap.
        dearer = _filling(free, now, None, chain, poster, left)
    else:
        dearer = _replacing(first, now, chain, poster, left)
    with database.write() as store:
        store.transactions.record(dearer)
    chain.send(dearer.signed)


def _replacing(
    first: RecordedTransaction, now: int, chain: Chain, poster: Signer, left: int | None
) -> RecordedTransaction:
    nonce = first.signed.nonce
    try:
        dearer = chain.sign(
            first.call, poster.private_key, nonce, replaced=first.signed, seconds_left=left
        )
    except TransactionRevertedError:
        # What it was for has come about otherwise. Those after it still need the nonce to be used.
        return _filling(nonce, now, first.signed, chain, poster, left)
    return first.replaced_by(dearer, now)


def _filling(
    nonce: int,
    now: int,
    replaced: SignedTransaction | None,
    chain: Chain,
    poster: Signer,
    left: int | None,
) -> RecordedTransaction:
    """Return a transaction that does nothing but use a nonce up."""
    call = Call(poster.address, b"")
    signed = chain.sign(call, poster.private_key, nonce, replaced=replaced, seconds_left=left)
    return RecordedTransaction(poster.address, "fill", str(nonce), signed, call, "live", now)
