"""The facts behind a rejection, and a node's objection to it. Source: docs/protocol.md section 4; pure, off chain."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, SessionId
from streamrp2p.typed_data import Message

Facts = Mapping[str, int | str]
"""Named facts: integers in the unit that the name says, or text."""


@dataclass(frozen=True, slots=True)
class RejectionEvidence(Message):
    """The facts behind a rejection, by the hash of their canonical JSON. Signed by the poster."""

    NAME = "RejectionEvidence"
    SCHEMA = (
        ("bytes32", "sessionId"),
        ("uint32", "sequence"),
        ("uint16", "code"),
        ("bytes32", "evidenceHash"),
    )
    session_id: SessionId
    sequence: int
    code: int
    evidence_hash: Hash


@dataclass(frozen=True, slots=True)
class Appeal(Message):
    """A node's objection to a rejection. Signed by the node."""

    NAME = "Appeal"
    SCHEMA = (
        ("address", "node"),
        ("bytes32", "sessionId"),
        ("uint32", "sequence"),
        ("uint16", "code"),
        ("string", "text"),
        ("uint64", "signedAt"),
    )
    node: Address
    session_id: SessionId
    sequence: int
    code: int
    text: str
    signed_at: int


def canonical_json(facts: Facts) -> str:
    """Write facts as JSON that has one form: names in rising order, no spaces, ASCII alone."""
    return json.dumps(dict(facts), sort_keys=True, separators=(",", ":"))


def evidence_hash(facts: Facts) -> Hash:
    """Return the Keccak-256 of the facts' canonical JSON, which `RejectionEvidence` signs for."""
    return keccak(canonical_json(facts).encode())
