"""What to demand next: the parts of a tree whose preimages nobody has shown, or nobody can show."""

from collections.abc import Iterator
from typing import Any

from streamrp2p.difference import Difference, text
from streamrp2p.fraud.evidence import Demand, Published
from streamrp2p.fraud.view import View


def demands(view: View[Any], published: Published) -> Iterator[Demand]:
    """Yield a demand for each leaf that is too long and each highest node of which nothing is known, once."""
    for level, index in [*((0, index) for index in view.too_long), *view.unknown]:
        chunk = view.chunk(level, index)
        if chunk not in published.owed and chunk not in published.answers:
            where = f"{view.where}, level {level}, node {index}"
            root = text(view.top.hash)
            reason = Difference("Withheld", where, "leaves", f"leaves that lead to {root}", "none")
            yield Demand(view.above, chunk, reason)
