"""Tell where epochs stand."""

from streamrp2p import api
from streamrp2p.header import EpochHeader
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Network
from streamrp2p_coordinator.repositories.epochs import StoredEpoch


def show_epochs(
    first: int, last: int, *, database: Database, network: Network, clock: Clock
) -> list[api.Epoch]:
    """Return the epochs from `first` to `last` that have begun, newest first."""
    now = clock()
    if now < network.epochs.genesis:
        return []
    last = min(last, network.epochs.at(now))
    with database.read() as store:
        stored = store.epochs.between(first, last)
    return [
        _epoch(stored.get(epoch, StoredEpoch(epoch)), network, now)
        for epoch in range(last, first - 1, -1)
    ]


def _epoch(stored: StoredEpoch, network: Network, now: int) -> api.Epoch:
    epochs, epoch = network.epochs, stored.epoch
    shown = api.Epoch(
        epoch=epoch,
        state=state_of(stored, network, now),
        starts_at=epochs.start(epoch),
        ends_at=epochs.end(epoch),
        intake_ends_at=epochs.intake_end(epoch),
    )
    if stored.header is None:
        return shown
    ends_at = (
        None if stored.committed_at is None else stored.committed_at + network.challenge_seconds
    )
    return shown.model_copy(
        update={
            "header": wire_header(stored.header),
            "header_hash": stored.header.hash(),
            "commit_transaction": stored.commit_transaction,
            "committed_at": stored.committed_at,
            "challenge_ends_at": ends_at,
            "finalise_transaction": stored.finalise_transaction,
        }
    )


def state_of(stored: StoredEpoch, network: Network, now: int) -> api.EpochState:
    """Tell where an epoch stands at `now`."""
    if stored.is_final:
        return "final"
    if stored.committed_at is not None:
        return "committed"
    if stored.is_voided:
        return "voided"
    if stored.is_intake_closed or now >= network.epochs.intake_end(stored.epoch):
        return "settling"
    return "intake" if now >= network.epochs.end(stored.epoch) else "open"


def wire_header(header: EpochHeader) -> api.Header:
    """Return the wire form of a header."""
    return api.Header(
        epoch=header.epoch,
        parent=header.parent,
        pools_root=header.pools_root,
        pool_count=header.pool_count,
        weight=header.weight,
        claims_root=header.claims_root,
        claim_count=header.claim_count,
        data_hash=header.data_hash,
    )
