"""Answer demands for data: who leaves one open loses the header and the bond."""

from streamrp2p.chain import DemandRecord, InsufficientFundsError, TransactionRevertedError
from streamrp2p.errors import StreamrP2PError
from streamrp2p.header import EpochHeader
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.chain import Chain, Commitment
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import ChainMismatchError, UnansweredDemandError
from streamrp2p_coordinator.network import Clock, Signer
from streamrp2p_coordinator.outbox import record_and_send

MAX_UNDER_WAY = 16
"""So many transactions of one account wait in any RPC's pool; the others follow at the next tick."""
SETTLED = ("DataDemands_NotOpen", "DataDemands_HeaderNotPending")
"""What the contract says of a demand that ended since it was read."""


def answer_demands(
    *, database: Database, chain: Chain, bundles: Bundles, poster: Signer, clock: Clock
) -> int:
    """Answer what is demanded of the pending headers, the most urgent first; returns how many answers were made.

    Safe to run twice: what has an answer under way is left alone. Raises UnansweredDemandError, once all others are
    answered, for a demand that cannot be: its message says why and until when.
    """
    with database.read() as store:
        live = store.transactions.live(poster.address)
    under_way = {one.subject for one in live if one.purpose == "answer"}
    due = [one for one in _owed(chain, poster) if _subject(one) not in under_way]
    room = max(MAX_UNDER_WAY - len(under_way), 0)
    made = 0
    unanswered: UnansweredDemandError | None = None
    for demand in due:
        if made == room:
            break
        try:
            made += _answer(demand, database, chain, bundles, poster, clock)
        except StreamrP2PError as error:
            if error.retryable:
                raise
            unanswered = unanswered or UnansweredDemandError(demand, error)
            if isinstance(error, InsufficientFundsError):
                break  # The others would fail alike.
    if unanswered is not None:
        raise unanswered
    return made


def _owed(chain: Chain, poster: Signer) -> list[DemandRecord]:
    """Return the open demands of headers that stand, by their deadlines. Those of older commits can do no harm."""
    book = chain.book()
    if book.poster != poster.address or book.finalised_epochs == book.next_epoch:
        return []
    since = chain.commitment(book.finalised_epochs).committed_at
    if since is None:
        return []  # It became final or was voided since the book was read.
    found = chain.demands(since)
    commitments = {
        epoch: chain.commitment(epoch) for epoch in {one.demanded.epoch for one in found}
    }
    standing = [one for one in found if _is_of(one, commitments[one.demanded.epoch])]
    return sorted(standing, key=lambda one: one.answer_by)


def _is_of(demand: DemandRecord, commitment: Commitment) -> bool:
    """Tell whether the demand is of that commit."""
    demanded = demand.demanded
    return (
        commitment.digest == demanded.header_hash[: len(commitment.digest)]
        and commitment.committed_at == demanded.committed_at
    )


def _answer(
    demand: DemandRecord,
    database: Database,
    chain: Chain,
    bundles: Bundles,
    poster: Signer,
    clock: Clock,
) -> int:
    header = _header_of(demand, database, chain)
    proven = bundles.answer_book(header.data_hash).answer(demand.demanded.chunk)
    try:
        record_and_send(
            chain.answer_call(demand.demanded, proven),
            "answer",
            _subject(demand),
            database=database,
            chain=chain,
            poster=poster,
            clock=clock,
            due_at=demand.answer_by,
        )
    except TransactionRevertedError as error:
        if error.name in SETTLED:
            return 0
        raise
    return 1


def _header_of(demand: DemandRecord, database: Database, chain: Chain) -> EpochHeader:
    """Return the header, from the chain's logs if this database lost it."""
    epoch, header_hash = demand.demanded.epoch, demand.demanded.header_hash
    with database.read() as store:
        stored = store.epochs.find(epoch)
    if stored is not None and stored.header is not None and stored.header.hash() == header_hash:
        return stored.header
    found = chain.committing(epoch)
    if found is None:
        raise ChainMismatchError("its header is neither in this database nor in the chain's logs")
    return found.header


def _subject(demand: DemandRecord) -> str:
    return "0x" + demand.demand_id.hex()
