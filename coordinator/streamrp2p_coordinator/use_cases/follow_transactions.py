"""Note which of the recorded transactions were mined, and which are in no block any more."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from streamrp2p.numbers import Address
from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.repositories.transactions import RecordedTransaction, State


def follow_transactions(*, database: Database, chain: Chain) -> list[RecordedTransaction]:
    """Look at every transaction that a reorganisation can still reach; returns those whose state is another now.

    Safe at any time. Of those with one sender and nonce, whichever is mined ends the others.
    """
    with database.read() as store:
        senders = store.transactions.senders()
    return [changed for sender in senders for changed in _follow(sender, database, chain)]


def _follow(sender: Address, database: Database, chain: Chain) -> list[RecordedTransaction]:
    settled = chain.transaction_count(sender, "settled")
    with database.read() as store:
        followed = store.transactions.unsettled(sender, settled)
    if not followed:
        return []
    # First the count: what is mined in between looks live, and never as if another had taken its nonce.
    mined = chain.transaction_count(sender, "latest")
    hashes = [one.signed.hash for one in followed]
    outcomes = dict(zip(hashes, chain.outcomes(hashes), strict=True))
    changed = [
        one.in_state(state)
        for nonce, group in groupby(followed, lambda one: one.signed.nonce)
        for one, state in _judged(
            [(one, outcomes[one.signed.hash]) for one in group], is_used=nonce < mined
        )
        if state != one.state
    ]
    if changed:
        with database.write() as store:
            for one in changed:
                store.transactions.mark(one.signed.hash, one.state)
    return changed


def _judged(
    group: Sequence[tuple[RecordedTransaction, bool | None]], *, is_used: bool
) -> Iterator[tuple[RecordedTransaction, State]]:
    """Yield the state of each transaction of one nonce."""
    is_ours = any(outcome is not None for _, outcome in group)
    for transaction, outcome in group:
        if outcome is not None:
            yield transaction, "mined" if outcome else "reverted"
        elif is_ours:
            yield transaction, "dropped"
        else:
            yield transaction, "taken" if is_used else "live"
