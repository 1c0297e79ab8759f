"""What a fraud is found in, and what is found. Source: docs/protocol.md section 8."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from streamrp2p.bundle import Bundle
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.difference import Difference
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.plain_tree import PlainTree
from streamrp2p.receipt import SessionRecord, batch_leaf
from streamrp2p.settlement import PoolInput
from streamrp2p.sum_tree import SumNode
from streamrp2p.typed_data import BatchAck, Domain


class Tree(IntEnum):
    """Which tree of a header, by its number on chain."""

    POOLS = 0
    NODES = 1
    SESSIONS = 2
    CLAIMS = 3


class RecordLeaf(NamedTuple):
    """A leaf of a sum tree, a row or a session record, with its index and path, in the order of the ABI."""

    record: bytes
    place: int
    path: tuple[SumNode, ...]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A record that a poster acknowledged: its promise, and the record's place in the tree of accepted ones."""

    ack: BatchAck
    signature: Signature
    record: SessionRecord
    index: int
    path: tuple[Hash, ...]


def acknowledged_of(
    ack: BatchAck, signature: Signature, accepted: Sequence[SessionRecord]
) -> tuple[Acknowledged, ...]:
    """Return each record of a batch that the poster accepted, in the batch's order, with its place under the promise.

    Nothing is checked: what the promise does not cover proves nothing and is passed over.
    """
    tree = PlainTree([batch_leaf(record.encode()) for record in accepted])
    return tuple(
        Acknowledged(ack, signature, record, index, tree.path(index))
        for index, record in enumerate(accepted)
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a proof may be built from. `pools` are those that the chain calls open in the epoch, rising by id.

    `bundle` is None while it is withheld or unreadable; it need not be what the header's `dataHash` names. Parents are
    None in epoch 0.
    """

    domain: Domain
    header: EpochHeader
    poster: Address
    pools: tuple[PoolInput, ...]
    bundle: Bundle | None
    parent_header: EpochHeader | None
    parent_bundle: Bundle | None
    acknowledged: tuple[Acknowledged, ...] = ()


@dataclass(frozen=True, slots=True)
class Fraud:
    """One transaction that voids the header. `arguments` are ABI values in the order of the entry point."""

    proof: str
    function: str
    arguments: tuple[Any, ...]
    difference: Difference


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is under one node of a tree: `root`, `sum` (0 for claims) and `count` are the tree's, as it is committed."""

    tree: Tree
    root: Hash
    sum: int
    count: int
    level: int
    index: int


@dataclass(frozen=True, slots=True)
class Demand:
    """One transaction that asks for a chunk: it is published on chain, or the header is void.

    `above` are the rows over a sum tree: none for the pools tree, a pool's for its nodes tree, with a node's after it
    for that node's sessions tree.
    """

    above: tuple[RecordLeaf, ...]
    chunk: Chunk
    reason: Difference


LEAF_LEVELS = 3
"""Up to this level a demand is answered with leaves."""


def nodes_level_of(level: int) -> int:
    """Return the level of the nodes that answer for a node above `LEAF_LEVELS`."""
    return max(level - 6, LEAF_LEVELS)


Answer = tuple[bytes, ...] | tuple[SumNode, ...] | tuple[ClaimLeaf, ...]
"""What a chunk was answered with. Up to `LEAF_LEVELS` its leaves, in order: encoded rows and records, or claims; above,
the nodes of level `nodes_level_of`: hashes with sums, or the claims tree's hashes."""


@dataclass(frozen=True, slots=True)
class Published:
    """What demands brought to light of a header's commit: answers that the chain accepted, and chunks still owed."""

    answers: Mapping[Chunk, Answer] = field(default_factory=dict)
    owed: frozenset[Chunk] = frozenset()


NOTHING_PUBLISHED = Published()
