"""The messages of docs/protocol.md section 11: a node asks to be looked at, and proves who answers. Off chain alone."""

from dataclasses import dataclass

from streamrp2p.numbers import Address, Hash
from streamrp2p.typed_data import Message

MAX_CHECK_AGE_SECONDS = 120
"""A signed wish to be looked at counts for so long, before and after its time."""
MAX_SKEW_SECONDS = 60
"""How far a node's clock may be off: half of what intake forgives (section 4, TICKET_EXPIRED)."""


@dataclass(frozen=True, slots=True)
class NodeCheck(Message):
    """Asks the coordinator to look at an endpoint from outside. Registers nothing. Signed by the node."""

    NAME = "NodeCheck"
    SCHEMA = (("address", "node"), ("string", "endpoint"), ("uint64", "requestedAt"))
    node: Address
    endpoint: str
    requested_at: int


@dataclass(frozen=True, slots=True)
class NodeIdentity(Message):
    """Proves who answers at an endpoint: the nonce is the asker's, fresh for each question. Signed by the node."""

    NAME = "NodeIdentity"
    SCHEMA = (("address", "node"), ("bytes32", "nonce"), ("uint64", "signedAt"))
    node: Address
    nonce: Hash
    signed_at: int
