"""Making the node known: idempotent, so that a restart registers nothing anew but what never came to the chain."""

import structlog

from streamrp2p import api, typed_data
from streamrp2p.client import ApiError, CoordinatorClient
from streamrp2p.numbers import Address
from streamrp2p.signatures import sign
from streamrp2p.typed_data import Domain

VALID_SECONDS = 3600
"""How long the signed registration may wait for a chain before it must be signed again."""
NOT_FOUND = 404

_log = structlog.get_logger("registration")


def register(
    client: CoordinatorClient, *, key: bytes, node: Address, payout: Address | None, endpoint: str, domain: Domain,
    now: int,
) -> api.Node:  # fmt: skip
    """Register the node unless the coordinator knows it just so, and the chain does or is about to.

    `payout` None keeps the known payout address; that of a new node is the node itself.

    Raises ApiError or UnreachableError.
    """
    known = _known(client, node)
    has_failed = known is not None and known.registration == "failed"
    if has_failed:
        _log.warning(
            "registration_failed",
            reason="the chain did not take it before its deadline, or refuses it",
            advice="it is signed again; until the chain has it, claims pay the address that it knew before",
        )
    elif known is not None and known.endpoint == endpoint and payout in (None, known.payout):
        return known
    wanted = payout or Address(known.payout if known is not None else node)
    nonce = 0 if known is None else known.nonce + (not has_failed)
    try:
        return _send(client, key, node, wanted, endpoint, nonce, domain, now)
    except ApiError as error:
        if error.expected_nonce in (None, nonce):
            raise
        # The chain knows registrations that this coordinator does not: it says which nonce is next.
        return _send(client, key, node, wanted, endpoint, error.expected_nonce, domain, now)


def _known(client: CoordinatorClient, node: Address) -> api.Node | None:
    try:
        return client.node(node)
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise
        return None


def _send(
    client: CoordinatorClient, key: bytes, node: Address, payout: Address, endpoint: str, nonce: int,
    domain: Domain, now: int,
) -> api.Node:  # fmt: skip
    message = typed_data.NodeRegistration(node, payout, endpoint, nonce, now + VALID_SECONDS)
    registration = api.NodeRegistration(
        node=node, payout=payout, endpoint=endpoint, nonce=nonce, deadline=message.deadline
    )
    signature = sign(message.digest(domain), key)
    answer = client.register(api.SignedRegistration(registration=registration, signature=signature))
    _log.info("node_registered", node="0x" + node.hex(), endpoint=endpoint, nonce=nonce)
    return answer
