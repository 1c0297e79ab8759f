"""BadPool and BadParent: what the header has of pools and of the header before, against what the chain has."""

from collections.abc import Iterator

from streamrp2p.claim import header_words
from streamrp2p.difference import Difference, text
from streamrp2p.fraud.evidence import Fraud
from streamrp2p.fraud.trees import PoolLeaf, Trees
from streamrp2p.fraud.words import leaf_words


def bad_parents(trees: Trees) -> Iterator[Fraud]:
    """Yield the header's parent if it is wrong where the chain does not compare it."""
    if trees.parent is not None and trees.parent.hash() != trees.header.parent:
        where = f"header {trees.header.epoch}"
        expected, found = text(trees.parent.hash()), text(trees.header.parent)
        yield Fraud(
            "BadParent",
            "badParent",
            (header_words(trees.header), header_words(trees.parent)),
            Difference("BadParent", where, "parent", expected, found),
        )


def bad_pools(trees: Trees) -> Iterator[Fraud]:
    """Yield each row of a pool that was not open, and each open pool without one."""
    for pool in trees.pools.leaves:
        if pool.row.pool_id not in trees.inputs:
            yield _bad_pool(trees, pool.row.pool_id, (pool,), "none", "a row")
    for pool_id in trees.inputs:
        shown = trees.pools.shown(pool_id)
        if shown is not None and all(pool.row.pool_id != pool_id for pool in shown):
            yield _bad_pool(trees, pool_id, shown, "a row", "none")


def _bad_pool(
    trees: Trees, pool_id: int, shown: tuple[PoolLeaf, ...], expected: str, found: str
) -> Fraud:
    return Fraud(
        "BadPool",
        "badPool",
        (header_words(trees.header), pool_id, leaf_words(shown)),
        Difference("BadPool", f"pool {pool_id}", "row", expected, found),
    )
