"""Which relay a viewer's ticket names. Pure but for the last choice, which is chance's."""

import secrets
from collections import Counter
from collections.abc import Collection, Sequence

from streamrp2p_coordinator.errors import NoRelayError
from streamrp2p_coordinator.repositories.nodes import StoredNode

MAX_EXCLUSIONS = 8
"""How many relays a viewer can refuse. Each ticket that it throws away is remembered."""


def choose_relay(
    nodes: Sequence[StoredNode],
    excluded: Sequence[bytes],
    viewer_network: str | None = None,
    recent: Collection[bytes] | None = None,
) -> StoredNode:
    """Return the least loaded healthy node, in the least loaded network; raises NoRelayError when none is left.

    Of `excluded` those count that the viewer's network had a ticket to (`recent`; None: whichever) or that are in it.
    A node in the viewer's own network is taken only if there is no other, excluded or not: who serves itself would
    exclude all others. Networks come first, so that many names of one machine win no more viewers than one.
    """
    healthy = [node for node in nodes if node.is_healthy]
    own = {node.node for node in healthy if node.network and node.network == viewer_network}
    honoured = [node for node in excluded if recent is None or node in recent or node in own]
    others = [node for node in healthy if node.node not in own]
    candidates = [node for node in others or healthy if node.node not in honoured[:MAX_EXCLUSIONS]]
    if not candidates:
        raise NoRelayError(
            "no healthy relay is left for this viewer; try again, and exclude fewer nodes if you can",
            retry_after_seconds=2,
        )
    loads: Counter[str | bytes] = Counter()
    for node in healthy:
        loads[_place(node)] += node.open_sessions

    def load_of(node: StoredNode) -> tuple[int, int]:
        return loads[_place(node)], node.open_sessions

    fewest = min(map(load_of, candidates))
    # By chance among equals: the order of addresses must not decide who earns.
    return secrets.choice([node for node in candidates if load_of(node) == fewest])


def _place(node: StoredNode) -> str | bytes:
    # One whose network is not known stands for itself.
    return node.network or node.node
