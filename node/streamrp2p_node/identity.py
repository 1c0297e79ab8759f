"""Proving who answers here: the node signs whatever nonce it is asked with (docs/protocol.md section 11)."""

import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streamrp2p import api
from streamrp2p.numbers import Address, Hash
from streamrp2p.reachability import NodeIdentity
from streamrp2p.signatures import sign
from streamrp2p.typed_data import Domain
from streamrp2p_node.errors import Reason, RefusedError

PATH = "/v1/identity"
_NONCE = re.compile(r"0x[0-9a-fA-F]{64}")

Prove = Callable[[Hash], api.SignedIdentity]


def prove_identity(
    nonce: Hash, *, key: bytes, node: Address, domain: Domain, now: int
) -> api.SignedIdentity:
    """Return the node's signature of a nonce; `now` by this machine's own clock, which the asker judges."""
    message = NodeIdentity(node, nonce, now)
    return api.SignedIdentity(
        identity=api.NodeIdentity(node=node, nonce=nonce, signed_at=now),
        signature=sign(message.digest(domain), key),
    )


def identity_route(prove: Prove) -> Route:
    """Return the route `GET /v1/identity?nonce=0x…`; `prove` raises RefusedError while it cannot."""

    async def identity(request: Request) -> Response:
        given = request.query_params.get("nonce", "")
        if not _NONCE.fullmatch(given):
            raise RefusedError(Reason.BAD_REQUEST, "nonce must be 0x followed by 64 hex digits")
        answer = prove(Hash(bytes.fromhex(given[2:])))
        return JSONResponse(answer.dump(), headers={"Cache-Control": "no-store"})

    return Route(PATH, identity, methods=["GET"])
