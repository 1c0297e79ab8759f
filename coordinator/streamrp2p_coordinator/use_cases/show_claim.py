"""Prove what an account may claim."""

from streamrp2p import api
from streamrp2p.claim import claim_call_data, opening
from streamrp2p.errors import TreeError
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Address
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import NotFinalError, NotFoundError
from streamrp2p_coordinator.network import Network
from streamrp2p_coordinator.repositories.store import Store
from streamrp2p_coordinator.use_cases.show_epochs import wire_header


def show_claim(
    account: Address,
    epoch: int | None,
    *,
    database: Database,
    network: Network,
    bundles: Bundles,
) -> api.Claim:
    """Return the proof in the newest final epoch, or in `epoch`.

    Raises NotFoundError when the account earned nothing up to it, NotFinalError when it is not final.
    """
    with database.read() as store:
        header = _final_header(store, epoch)
    try:
        proof = bundles.claim_book(header).prove(account)
    except TreeError as error:
        raise NotFoundError(
            f"{error}; claims of later epochs follow when they are final"
        ) from error
    return api.Claim(
        header=wire_header(header),
        account=account,
        entries=list(proof.leaf.entries),
        index=proof.index,
        path=list(proof.path),
        to=network.reward_pools,
        call_data=opening(header, claim_call_data(proof)),
    )


def _final_header(store: Store, epoch: int | None) -> EpochHeader:
    if epoch is None:
        stored = store.epochs.newest_final()
        if stored is None or stored.header is None:
            raise NotFoundError("no epoch is final yet; see /v1/epochs")
        return stored.header
    stored = store.epochs.find(epoch)
    if stored is None or stored.header is None or not stored.is_final:
        raise NotFinalError(f"epoch {epoch} is not final, or not settled at all; see /v1/epochs")
    return stored.header
