"""All that is wrong with a header, cheapest to find first, and what must be demanded to find more."""

from collections.abc import Iterator
from typing import Any

from streamrp2p.fraud.claims import bad_claim_leaves, bad_claims
from streamrp2p.fraud.demand import demands
from streamrp2p.fraud.evidence import NOTHING_PUBLISHED, Demand, Evidence, Fraud, Published
from streamrp2p.fraud.omission import omissions
from streamrp2p.fraud.order import bad_orders
from streamrp2p.fraud.pools import bad_parents, bad_pools
from streamrp2p.fraud.sessions import bad_sessions
from streamrp2p.fraud.shape import bad_sums
from streamrp2p.fraud.spends import bad_rewards, bad_spends
from streamrp2p.fraud.trees import Trees
from streamrp2p.fraud.view import View


def find_frauds(
    evidence: Evidence, published: Published = NOTHING_PUBLISHED
) -> Iterator[Fraud | Demand]:
    """Yield every proof that the evidence allows, then a demand for each part of a tree that nobody has shown.

    Each is enough by itself, given that the chain holds what the evidence says; nothing comes for an honest header
    whose bundle is there. Never raises for what a poster commits or publishes. A bundle that is not the one of the
    header's `dataHash` is no fraud while its leaves lead to the header.
    """
    trees = Trees(evidence, published)
    yield from bad_parents(trees)
    views: list[View[Any]] = [trees.pools, trees.claims]
    views += [nodes for _, nodes in trees.by_pool()]
    for view in views:
        yield from bad_sums(trees.header, view)
        yield from bad_orders(trees.header, view)
    yield from bad_pools(trees)
    yield from bad_spends(trees)
    yield from bad_rewards(trees)
    yield from bad_claim_leaves(trees)
    yield from bad_claims(trees)
    yield from omissions(trees)
    wanted = [demand for view in views for demand in demands(view, published)]
    for pool, node, sessions in trees.by_node():
        yield from bad_sums(trees.header, sessions)
        yield from bad_orders(trees.header, sessions)
        yield from bad_sessions(trees, pool, node, sessions)
        wanted += demands(sessions, published)
    yield from wanted


def find_omissions(evidence: Evidence, published: Published = NOTHING_PUBLISHED) -> Iterator[Fraud]:
    """Yield the proofs of what was acknowledged and is left out, alone: they need nothing of the parent."""
    return omissions(Trees(evidence, published))
