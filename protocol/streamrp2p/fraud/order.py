"""BadOrder: neighbouring leaves whose keys do not rise."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from streamrp2p.claim import header_words
from streamrp2p.difference import Difference, text
from streamrp2p.fraud.evidence import Fraud, Tree
from streamrp2p.fraud.view import View
from streamrp2p.fraud.words import claim_words
from streamrp2p.header import EpochHeader


def bad_orders(header: EpochHeader, view: View[Any]) -> Iterator[Fraud]:
    """Yield each pair of known neighbours that does not rise."""
    for (left, lower), (right, upper) in pairwise(zip(view.leaves, view.keys, strict=True)):
        if right.index != left.index + 1 or lower < upper or not (left.is_sound and right.is_sound):
            continue
        where = f"{view.where}, leaf {right.index}"
        difference = Difference("BadOrder", where, "key", f"above {text(lower)}", text(upper))
        if view.kind.tree is Tree.CLAIMS:
            arguments: tuple[object, ...] = (claim_words(left), claim_words(right))
            yield Fraud(
                "BadOrder", "badClaimsOrder", (header_words(header), *arguments), difference
            )
        else:
            arguments = (view.above, left.words(), right.words())
            yield Fraud("BadOrder", "badOrder", (header_words(header), *arguments), difference)
