"""Send what waits to be mined again, and replace what waits for too long."""

from contextlib import suppress

from streamrp2p.chain import Call, NonceTooLowError, RpcRefusedError, TransactionRevertedError
from streamrp2p_coordinator.chain import Chain, SignedTransaction
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Signer
from streamrp2p_coordinator.outbox import URGENT
from streamrp2p_coordinator.repositories.transactions import RecordedTransaction

PATIENCE_SECONDS = 60
"""After this long in the open a transaction is signed again with the same nonce and higher fees."""
URGENT_PATIENCE_SECONDS = 15


def send_transactions(*, database: Database, chain: Chain, poster: Signer, clock: Clock) -> None:
    """Send the newest transaction of every live nonce; replace that of the lowest one, which the others wait for.

    Safe at any time: the same bytes have the same hash and nonce, so the chain takes them once.

    Raises FeeCeilingError when a replacement would have to offer too much: what was sent stays there.
    """
    with database.read() as store:
        live = store.transactions.live()
    newest = {one.signed.nonce: one for one in live}
    for transaction in newest.values():
        # Another of this nonce was mined or offers more, or gas became too dear for this one: that is for later looks.
        with suppress(NonceTooLowError, RpcRefusedError):
            chain.send(transaction.signed)
    if not newest:
        return
    first = newest[min(newest)]
    is_urgent = any(one.purpose in URGENT for one in live)
    patience_seconds = URGENT_PATIENCE_SECONDS if is_urgent else PATIENCE_SECONDS
    if clock() - first.recorded_at < patience_seconds:
        return
    free = chain.transaction_count(poster.address, "pending")
    if free < first.signed.nonce:
        # Somebody else's transaction was before it, and is gone: no block takes what comes after the gap.
        dearer = _filling(free, clock(), None, chain, poster, is_urgent=is_urgent)
    else:
        dearer = _replacing(first, clock(), chain, poster, is_urgent=is_urgent)
    with database.write() as store:
        store.transactions.record(dearer)
    chain.send(dearer.signed)


def _replacing(
    first: RecordedTransaction, now: int, chain: Chain, poster: Signer, *, is_urgent: bool
) -> RecordedTransaction:
    nonce = first.signed.nonce
    try:
        dearer = chain.sign(
            first.call, poster.private_key, nonce, replaced=first.signed, is_urgent=is_urgent
        )
    except TransactionRevertedError:
        # What it was for has come about otherwise. Those after it still need the nonce to be used.
        return _filling(nonce, now, first.signed, chain, poster, is_urgent=is_urgent)
    return first.replaced_by(dearer, now)


def _filling(
    nonce: int,
    now: int,
    replaced: SignedTransaction | None,
    chain: Chain,
    poster: Signer,
    *,
    is_urgent: bool,
) -> RecordedTransaction:
    """Return a transaction that does nothing but use a nonce up."""
    call = Call(poster.address, b"")
    signed = chain.sign(call, poster.private_key, nonce, replaced=replaced, is_urgent=is_urgent)
    return RecordedTransaction("fill", str(nonce), signed, call, "live", now)
