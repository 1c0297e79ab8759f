"""The way from the origin to a relay through other relays: short, free of circles, and signed. Pure.

Source: docs/protocol.md section 10.
"""

from streamrp2p.errors import PathError
from streamrp2p.numbers import Address, Signature
from streamrp2p.signatures import check_signer, sign
from streamrp2p.typed_data import Domain, RelayPath

MAX_RELAYS = 3
"""Between the origin and a viewer. Each adds its delay, and a small bound makes a circle impossible to hide."""
MAX_PATH_AGE_SECONDS = 30
"""Of a signed path; as far ahead it may be too, for two nodes' clocks differ."""


def sign_path(
    upstream: tuple[Address, ...], node: Address, *, pool_id: int, signed_at: int, domain: Domain,
    node_key: bytes,
) -> tuple[RelayPath, Signature]:  # fmt: skip
    """Return the path of `node` behind `upstream`, a checked path or () for the origin, signed by the node's key.

    `signed_at` is in Unix seconds. Raises PathError when the node cannot stand behind that upstream.
    """
    _require_place(upstream, node)
    message = RelayPath(pool_id, (*upstream, node), signed_at)
    return message, sign(message.digest(domain), node_key)


def check_upstream(
    message: RelayPath, signature: Signature, *, pool_id: int, upstream: Address, node: Address, now: int,
    domain: Domain,
) -> tuple[Address, ...]:  # fmt: skip
    """Return the path of the node `upstream`, behind which `node` may relay the pool's stream.

    `upstream` is the node that the ticket names, `now` is in Unix seconds. Raises PathError when the path is another
    pool's, too long, a circle, too old or does not end in `upstream`; SignatureError when `upstream` did not sign it.
    """
    path = message.path
    if message.pool_id != pool_id:
        raise PathError(f"the path is of pool {message.pool_id}, not of {pool_id}")
    if not path or path[-1] != upstream:
        raise PathError(f"the path does not end in the relay 0x{upstream.hex()} that gave it")
    if abs(now - message.signed_at) > MAX_PATH_AGE_SECONDS:
        raise PathError(
            f"the path is {now - message.signed_at} s old, at most {MAX_PATH_AGE_SECONDS} s are accepted: "
            "check both clocks"
        )
    check_signer(message.digest(domain), signature, upstream, "the relay")
    _require_place(path, node)
    return path


def _require_place(upstream: tuple[Address, ...], node: Address) -> None:
    if len(upstream) >= MAX_RELAYS:
        raise PathError(f"{len(upstream)} relays are already between the origin and this one")
    if len({*upstream, node}) <= len(upstream):
        raise PathError("the stream would come in a circle: a relay stands twice on its path")
