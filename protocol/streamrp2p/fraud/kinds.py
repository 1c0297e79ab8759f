"""The four trees of a header, seen alike: in the claims tree all sums are 0. Source: docs/protocol.md section 6."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

from streamrp2p import plain_tree, sum_tree
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.fraud.evidence import Tree
from streamrp2p.keccak import keccak
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import NodeRow, PoolRow
from streamrp2p.sum_tree import SumNode

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Kind(Generic[Row]):
    """How one of the trees is hashed and what its leaves are. `key` gives an int or bytes."""

    tree: Tree
    read: Callable[[bytes], Row]
    encode: Callable[[Row], bytes]
    key: Callable[[Row], Any]
    weight: Callable[[Row], int]
    leaf_preimage: Callable[[bytes, int], bytes]
    inner_preimage: Callable[[SumNode, SumNode], bytes]

    @property
    def is_row(self) -> bool:
        """Whether a leaf is a row, which states its sum itself."""
        return self.tree in (Tree.POOLS, Tree.NODES)


def _sum_leaf_preimage(record: bytes, weight: int) -> bytes:
    return sum_tree.leaf_preimage(keccak(record), weight)


def _claim_preimage(record: bytes, _: int) -> bytes:
    return keccak(record)


def _claims_inner_preimage(left: SumNode, right: SumNode) -> bytes:
    return plain_tree.inner_preimage(left.hash, right.hash)


def _no_weight(_: ClaimLeaf) -> int:
    return 0


POOLS: Kind[PoolRow] = Kind(
    Tree.POOLS,
    PoolRow.decode,
    PoolRow.encode,
    attrgetter("pool_id"),
    attrgetter("weight"),
    _sum_leaf_preimage,
    sum_tree.inner_preimage,
)
NODES: Kind[NodeRow] = Kind(
    Tree.NODES,
    NodeRow.decode,
    NodeRow.encode,
    attrgetter("node"),
    attrgetter("weight"),
    _sum_leaf_preimage,
    sum_tree.inner_preimage,
)
SESSIONS: Kind[SessionRecord] = Kind(
    Tree.SESSIONS,
    SessionRecord.decode,
    SessionRecord.encode,
    attrgetter("session_id"),
    attrgetter("weight"),
    _sum_leaf_preimage,
    sum_tree.inner_preimage,
)
CLAIMS: Kind[ClaimLeaf] = Kind(
    Tree.CLAIMS,
    ClaimLeaf.of_record,
    ClaimLeaf.record,
    attrgetter("account"),
    _no_weight,
    _claim_preimage,
    _claims_inner_preimage,
)
