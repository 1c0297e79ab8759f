"""BadSum: nodes that cannot stand where they do."""

from collections.abc import Iterator
from typing import Any

from streamrp2p.claim import header_words
from streamrp2p.difference import Difference, text
from streamrp2p.fraud.evidence import Fraud, Tree
from streamrp2p.fraud.view import View
from streamrp2p.fraud.walk import BadNode
from streamrp2p.fraud.words import hashes
from streamrp2p.header import EpochHeader

_ROW, _LEAF, _CLAIM = 88, 49, 32


def bad_sums(header: EpochHeader, view: View[Any]) -> Iterator[Fraud]:
    """Yield each node of a tree that cannot stand, all above it being right."""
    is_claims = view.kind.tree is Tree.CLAIMS
    for bad in view.bad:
        place: tuple[object, ...] = (bad.node.hash, bad.level, bad.index, hashes(bad.path))
        if not is_claims:
            place = (bad.node, bad.level, bad.index, bad.path)
        above = () if is_claims else (view.above,)
        yield Fraud(
            "BadSum",
            "badClaimsShape" if is_claims else "badSum",
            (header_words(header), *above, place, bad.preimage),
            _difference(view, bad),
        )


def _difference(view: View[Any], bad: BadNode) -> Difference:
    where = f"{view.where}, level {bad.level}, node {bad.index}"
    found = f"{text(bad.node.hash)} with sum {bad.node.sum}"
    match len(bad.preimage):
        case 0 if bad.index << bad.level >= view.count:
            return Difference("BadSum", where, "padding", "an empty node", found)
        case 0 if bad.level:
            return Difference("BadSum", where, "hash", "a node over leaves", "an empty hash")
        case 0:
            return Difference("BadSum", where, "leaf", "a leaf below the count", "an empty one")
        case length if length in (_LEAF, _CLAIM) and bad.level:
            return Difference("BadSum", where, "node", "an inner node", "a leaf")
        case length if length not in (_ROW, _LEAF, _CLAIM) and not bad.level:
            return Difference("BadSum", where, "node", "a leaf", "an inner node")
    return Difference("BadSum", where, "sum", "what is below it", str(bad.node.sum))
