"""The sum tree: a Merkle tree whose nodes also carry the sum of their leaves. Source: docs/protocol.md section 6."""

from collections.abc import Sequence
from typing import NamedTuple

from streamrp2p.errors import TreeError
from streamrp2p.keccak import keccak
from streamrp2p.merkle import Tree, climb
from streamrp2p.numbers import ZERO_HASH, Hash

MAX_SUM = (1 << 128) - 1


class SumNode(NamedTuple):
    """A tree node: its hash and the sum of the leaves below it."""

    hash: Hash
    sum: int


EMPTY_LEAF = SumNode(ZERO_HASH, 0)


def leaf_node(digest: Hash, weight: int) -> SumNode:
    """Return the leaf `keccak(0x00 ‖ digest ‖ uint128 sum)` with its sum; raises TreeError beyond uint128."""
    return SumNode(keccak(leaf_preimage(digest, weight)), weight)


def leaf_preimage(digest: Hash, weight: int) -> bytes:
    """Return the 49 bytes whose hash is a leaf's; raises TreeError beyond uint128."""
    return b"\x00" + digest + _u128(weight)


def inner_node(left: SumNode, right: SumNode) -> SumNode:
    """Return the parent of two nodes; raises TreeError when the sum overflows uint128."""
    total = left.sum + right.sum
    _u128(total)
    return SumNode(keccak(inner_preimage(left, right)), total)


def inner_preimage(left: SumNode, right: SumNode) -> bytes:
    """Return the 97 bytes whose hash is the parent's; raises TreeError for a child's sum beyond uint128."""
    left_hash, left_sum = left
    right_hash, right_sum = right
    return b"\x01" + left_hash + _u128(left_sum) + right_hash + _u128(right_sum)


class SumTree(Tree[SumNode]):
    """A built tree; its `top` is the root hash and the total, `(0, 0)` for an empty tree."""

    def __init__(self, leaves: Sequence[SumNode]) -> None:
        """Build over leaves made by `leaf_node`, in rising order of their keys (the caller's duty: `check_rising`)."""
        super().__init__(leaves, EMPTY_LEAF, inner_node)


def top_of_path(leaf: SumNode, index: int, count: int, path: Sequence[SumNode]) -> SumNode:
    """Return the top that a path leads to; raises TreeError when index, length or a sum cannot be of such a tree."""
    return climb(leaf, index, count, path, inner_node)


def _u128(value: int) -> bytes:
    if not 0 <= value <= MAX_SUM:
        raise TreeError(f"sum {value} does not fit uint128")
    return value.to_bytes(16)
