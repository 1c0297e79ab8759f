"""Commit the next header to the book, bonding first if need be."""

from streamrp2p.chain import Call
from streamrp2p.header import EpochHeader
from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import ChainMismatchError, ConfigurationError
from streamrp2p_coordinator.network import Clock, Network, Signer
from streamrp2p_coordinator.outbox import (
    commit_subject,
    is_commit_mined,
    is_under_way,
    record_and_send,
    was_unmined,
)
from streamrp2p_coordinator.repositories.epochs import StoredEpoch
from streamrp2p_coordinator.repositories.transactions import Purpose


def commit_epoch(
    *, database: Database, chain: Chain, network: Network, poster: Signer, clock: Clock
) -> Purpose | None:
    """Make the one transaction that comes next, a bond or a commit; None when nothing is to be done now.

    Never commits twice: it asks the book which epoch is next and stays quiet while a commit or bond waits to be mined.
    Raises ConfigurationError when another account is the poster, or when the same header would lose a second bond.
    """

    def send(purpose: Purpose, subject: str, call: Call) -> None:
        record_and_send(
            call, purpose, subject, database=database, chain=chain, poster=poster, clock=clock
        )

    if is_under_way(database, poster, "commit") or is_under_way(database, poster, "bond"):
        return None
    book = chain.book()
    epoch = book.next_epoch
    with database.read() as store:
        stored = store.epochs.find(epoch)
        first_unsettled = store.epochs.first_unsettled()
    if epoch > first_unsettled:
        raise ChainMismatchError(
            f"the chain expects epoch {epoch}, but {first_unsettled} was never settled here"
        )
    if stored is None or stored.header is None:
        return None
    if chain.newest().time < network.epochs.intake_end(epoch):
        return None
    if book.poster != poster.address:
        raise ConfigurationError(
            f"the book's poster is 0x{book.poster.hex()}, not 0x{poster.address.hex()}; "
            "use its key, or take the place over"
        )
    if _was_taken_back(stored, stored.header, database, chain):
        return None
    missing_wei = book.required_bond_wei - book.bond_wei
    if missing_wei <= 0:
        send("commit", commit_subject(stored.header), chain.commit_call(stored.header))
        return "commit"
    if stored.voided_header_hash == stored.header.hash():
        raise ConfigurationError(
            f"the header of epoch {epoch} was voided with the bond, and settling it again gives the same one: "
            "find the fault before you bond again, by hand"
        )
    send("bond", str(epoch), chain.bond_call(missing_wei))
    return "bond"


def _was_taken_back(
    stored: StoredEpoch, header: EpochHeader, database: Database, chain: Chain
) -> bool:
    """Tell whether the header's commit was mined, and undone by a reorganisation or a void that was not noted yet."""
    if was_unmined("commit", commit_subject(header), database=database, chain=chain):
        return True
    with database.read() as store:
        return is_commit_mined(stored, header, store)
