"""BadSpend and BadReward: rows that do not follow the settlement rule of section 5."""

from collections.abc import Iterator

from streamrp2p.allocation import reward_of, spend_of
from streamrp2p.claim import header_words
from streamrp2p.difference import Difference, text
from streamrp2p.fraud.evidence import Fraud
from streamrp2p.fraud.trees import PoolLeaf, Trees
from streamrp2p.fraud.words import leaf_words, parent_words


def bad_spends(trees: Trees) -> Iterator[Fraud]:
    """Yield each pool's row with another spend or cumulative spend than the rule's, where the parent's row is known."""
    for pool in trees.pools.leaves:
        pool_input, before = trees.inputs.get(pool.row.pool_id), _before(trees, pool.row.pool_id)
        if pool_input is None or before is None:
            continue
        row, previous = pool.row, before[0].row.cumulative_spend if before else 0
        spend = spend_of(row.weight, pool_input.terms, pool_input.funded, previous)
        for name, expected, found in (
            ("spend", spend, row.spend),
            ("cumulativeSpend", previous + spend, row.cumulative_spend),
        ):
            if expected != found:
                parent = parent_words(trees.parent)
                yield Fraud(
                    "BadSpend",
                    "badSpend",
                    (header_words(trees.header), pool.words(), parent, leaf_words(before)),
                    Difference("BadSpend", f"pool {row.pool_id}", name, str(expected), str(found)),
                )
                break


def bad_rewards(trees: Trees) -> Iterator[Fraud]:
    """Yield each node's row with weight 0 or another reward than the rule's."""
    for pool, nodes in trees.by_pool():
        for node in nodes.leaves:
            row = node.row
            expected = reward_of(pool.row.spend, row.weight, pool.row.weight)
            where = f"pool {pool.row.pool_id}, node {text(row.node)}"
            if not row.weight:
                difference = Difference("BadReward", where, "weight", "more than 0", "0")
            elif row.reward != expected:
                wanted, found = str(expected), str(row.reward)
                difference = Difference("BadReward", where, "reward", wanted, found)
            else:
                continue
            arguments = (header_words(trees.header), pool.words(), node.words())
            yield Fraud("BadReward", "badReward", arguments, difference)


def _before(trees: Trees, pool_id: int) -> tuple[PoolLeaf, ...] | None:
    """Return the pool's row in the parent, nothing in the epoch of its creation, or None where it is not known."""
    if trees.header.epoch == 0:
        return ()
    shown = trees.parent_pools.shown(pool_id) if trees.parent_pools else None
    if shown is None:
        return None
    # Every open pool has a row: one that the parent has none of is new.
    return shown if [leaf.row.pool_id for leaf in shown] == [pool_id] else ()
