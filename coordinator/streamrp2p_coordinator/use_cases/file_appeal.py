"""Keep a node's objection to a rejection, for the operator to answer."""

from streamrp2p import api
from streamrp2p.numbers import Signature
from streamrp2p.typed_data import Domain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import NotFoundError
from streamrp2p_coordinator.network import Clock
from streamrp2p_coordinator.repositories.suspicions import StoredAppeal
from streamrp2p_coordinator.use_cases.signed_request import check_signed_request


def file_appeal(
    signed: api.SignedAppeal, *, database: Database, domain: Domain, clock: Clock
) -> api.FiledAppeal:
    """Keep an appeal and return it as kept: to a rejection there is one, and the first stands.

    Raises RequestError, InvalidSignatureError, or NotFoundError if the node has no such rejection on record.
    """
    appeal, now = signed.appeal.message(), clock()
    check_signed_request(
        appeal,
        signed.signature,
        appeal.node,
        what="appeal",
        time_field="signedAt",
        signed_at=appeal.signed_at,
        domain=domain,
        now=now,
    )
    name = appeal.node, appeal.session_id, appeal.sequence, appeal.code
    with database.write() as store:
        # Rejections on record are bounded for each node, and so are appeals.
        if not store.ledger.has_rejection(*name):
            raise NotFoundError(
                "the node has no such rejection on record; see its refusals at "
                "/v1/accounts/{account}/epochs/{epoch}"
            )
        filed = store.suspicions.appeal_to(*name)
        if filed is None:
            filed = store.suspicions.file(appeal, Signature(signed.signature), now)
    return shown_appeal(filed)


def shown_appeal(stored: StoredAppeal) -> api.FiledAppeal:
    """Return the wire form of an appeal."""
    appeal = stored.appeal
    return api.FiledAppeal(
        id=stored.id,
        appeal=api.Appeal(
            node=appeal.node,
            session_id=appeal.session_id,
            sequence=appeal.sequence,
            code=appeal.code,
            text=appeal.text,
            signed_at=appeal.signed_at,
        ),
        filed_at=stored.filed_at,
        answer=stored.answer,
        answered_at=stored.answered_at,
    )
