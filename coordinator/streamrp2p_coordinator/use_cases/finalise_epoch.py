"""Make the oldest pending header final once its challenge window is over."""

from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Network, Signer
from streamrp2p_coordinator.outbox import is_under_way, record_and_send, was_unmined


def finalise_epoch(
    *, database: Database, chain: Chain, network: Network, poster: Signer, clock: Clock
) -> int | None:
    """Make the transaction and return its epoch; None when none is due. Anyone else may have been faster."""
    if is_under_way(database, poster, "finalise"):
        return None
    book = chain.book()
    epoch = book.finalised_epochs
    if epoch >= book.next_epoch:
        return None
    committed_at = chain.commitment(epoch).committed_at
    if committed_at is None or chain.newest().time < committed_at + network.challenge_seconds:
        return None
    if was_unmined("finalise", str(epoch), database=database, chain=chain):
        return None
    record_and_send(
        chain.finalise_call(epoch),
        "finalise",
        str(epoch),
        database=database,
        chain=chain,
        poster=poster,
        clock=clock,
    )
    return epoch
