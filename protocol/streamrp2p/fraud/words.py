"""The values that the entry points of `IChallenges` take, in the order of the ABI."""

from collections.abc import Sequence
from typing import Any

from streamrp2p.claim import header_words
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.fraud.view import Leaf
from streamrp2p.fraud.walk import Path
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import ZERO_HASH

Words = tuple[object, ...]

NO_HEADER = EpochHeader(0, ZERO_HASH, ZERO_HASH, 0, 0, ZERO_HASH, 0, ZERO_HASH)
"""Stands for a parent that is not read."""


def parent_words(parent: EpochHeader | None) -> Words:
    """Return a parent's words, or those of none."""
    return tuple(header_words(parent or NO_HEADER))


def claim_words(claim: Leaf[ClaimLeaf]) -> Words:
    """Return a `ClaimLeafAt`."""
    return (claim.row.account, claim.row.entries), claim.index, hashes(claim.path)


def leaf_words(leaves: Sequence[Leaf[Any]]) -> list[Words]:
    """Return `RecordLeaf`s."""
    return [leaf.words() for leaf in leaves]


def hashes(path: Path) -> tuple[bytes, ...]:
    """Return a path of the claims tree, whose sums are nothing."""
    return tuple(node.hash for node in path)
