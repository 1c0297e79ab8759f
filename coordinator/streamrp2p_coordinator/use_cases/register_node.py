"""Accept a node's registration; the chain gets it from `relay_registrations`."""

import re

from streamrp2p import api
from streamrp2p.errors import MalformedError, SignatureError
from streamrp2p.http_api import check_base_url
from streamrp2p.numbers import ZERO_ADDRESS, Signature
from streamrp2p.signatures import check_signer
from streamrp2p.typed_data import NodeRegistration
from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import (
    DeadlineError,
    InvalidSignatureError,
    NonceError,
    RequestError,
)
from streamrp2p_coordinator.network import Clock, Network
from streamrp2p_coordinator.repositories.nodes import FAILED, StoredNode
from streamrp2p_coordinator.repositories.store import Store

MAX_DEADLINE_SECONDS = 86_400
"""No registration waits longer for the chain. A signature that anyone can use for years serves nobody."""
_PRINTABLE = re.compile(r"[!-~]{1,256}")


def register_node(
    signed: api.SignedRegistration,
    *,
    database: Database,
    chain: Chain,
    network: Network,
    clock: Clock,
) -> StoredNode:
    """Accept a registration and return the node. Sent again, the newest one changes nothing.

    Raises InvalidSignatureError, NonceError, DeadlineError or RequestError.
    """
    registration = signed.registration.message()
    check_endpoint(registration.endpoint)
    if ZERO_ADDRESS in (registration.node, registration.payout):
        raise RequestError("node and payout must not be the zero address")
    try:
        check_signer(
            registration.digest(network.domain), signed.signature, registration.node, "the node"
        )
    except SignatureError as error:
        raise InvalidSignatureError(f"the registration is not valid: {error}") from error
    with database.read() as store:
        same = _same(store, registration, clock())
    if same is not None:
        return same
    if registration.deadline <= clock():
        raise DeadlineError("the registration's deadline is over; sign it again with a later one")
    if registration.deadline > clock() + MAX_DEADLINE_SECONDS:
        raise RequestError(
            f"the registration's deadline must be at most {MAX_DEADLINE_SECONDS} s away; "
            "sign it again with an earlier one"
        )
    # Asked before the transaction: nobody must wait for a slow chain while the database is locked.
    on_chain = chain.registration_nonce(registration.node)
    with database.write() as store:
        store.lock_node(registration.node)
        now = clock()
        same = _same(store, registration, now)
        if same is not None:
            return same
        known = store.nodes.find(registration.node, now)
        pending = store.nodes.highest_pending_nonce(registration.node)
        expected = on_chain if pending is None else max(on_chain, pending + 1)
        if registration.nonce != expected:
            raise NonceError(expected, registration.nonce)
        store.nodes.register(registration, Signature(signed.signature), known)
        registered = store.nodes.find(registration.node, now)
    if registered is None:
        raise AssertionError("a node that was just written is there")
    return registered


def _same(store: Store, registration: NodeRegistration, now: int) -> StoredNode | None:
    known = store.nodes.find(registration.node, now)
    if known is None or (known.nonce, known.payout, known.endpoint) != (
        registration.nonce,
        registration.payout,
        registration.endpoint,
    ):
        return None
    # One that the chain refused may be signed again, with a later deadline.
    return None if known.registration == FAILED else known


def check_endpoint(endpoint: str) -> None:
    """Raise RequestError unless it is a base URL."""
    try:
        valid = bool(_PRINTABLE.fullmatch(endpoint)) and check_base_url(endpoint) == endpoint
    except MalformedError:
        valid = False
    if not valid:
        raise RequestError(
            "endpoint must be a base URL such as https://relay.example:8200, without trailing slash, "
            "query or user"
        )
