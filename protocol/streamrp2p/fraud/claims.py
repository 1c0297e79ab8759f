"""BadClaim: entries that are not the parent's plus this epoch's rewards, and leaves that are no claims."""

from collections.abc import Iterator

from streamrp2p.claim import header_words
from streamrp2p.claims_tree import ClaimLeaf, entry_parts
from streamrp2p.difference import Difference, text
from streamrp2p.fraud.evidence import Fraud
from streamrp2p.fraud.trees import NodeLeaf, PoolLeaf, Trees
from streamrp2p.fraud.view import Leaf, View
from streamrp2p.fraud.words import Words, claim_words, leaf_words, parent_words
from streamrp2p.numbers import MAX_POOLS_PER_ACCOUNT, Address
from streamrp2p.plain_tree import first_unordered

_Key = tuple[Address, int]
_Claims = tuple[Leaf[ClaimLeaf], ...]
_POOL_IDS = 1 << 32


def bad_claim_leaves(trees: Trees) -> Iterator[Fraud]:
    """Yield each leaf of the claims tree that could not be one, whatever was earned."""
    for claim in trees.claims.leaves:
        fault = leaf_fault(claim.row.entries)
        if fault is not None and claim.is_sound:
            where = f"account {text(claim.row.account)}"
            yield Fraud(
                "BadClaim",
                "badClaimLeaf",
                (header_words(trees.header), claim_words(claim)),
                Difference("BadClaim", where, "entries", *fault),
            )


def leaf_fault(entries: tuple[int, ...]) -> tuple[str, str] | None:
    """Return what a leaf's entries should be and are not, or None."""
    if not 0 < len(entries) <= MAX_POOLS_PER_ACCOUNT:
        return f"1 to {MAX_POOLS_PER_ACCOUNT}", str(len(entries))
    # Pools are counted from 1.
    pools = [0, *(entry_parts(entry)[0] for entry in entries)]
    at = first_unordered(pools)
    if at is not None:
        return f"above pool {pools[at - 1]}", f"pool {pools[at]}"
    if pools[-1] >= _POOL_IDS:
        return "pools below 2^32", f"pool {pools[-1]}"
    if not all(entry_parts(entry)[1] for entry in entries):
        return "more than 0", "0"
    return None


def bad_claims(trees: Trees) -> Iterator[Fraud]:
    """Yield each account and pool whose entry is not the parent's plus this epoch's reward, where these are known."""
    if trees.header.epoch and trees.parent_claims is None:
        return
    now, before = _entries(trees.claims), _entries(trees.parent_claims)
    rewards = _rewards(trees)
    for key in sorted({*now, *before, *rewards}):
        expected, found = before.get(key, 0) + rewards.get(key, 0), now.get(key, 0)
        evidence = _evidence(trees, *key) if expected != found else None
        if evidence is not None:
            account, pool_id = key
            where = f"account {text(account)}, pool {pool_id}"
            parent = parent_words(trees.parent)
            yield Fraud(
                "BadClaim",
                "badClaim",
                (header_words(trees.header), parent, account, pool_id, evidence),
                Difference("BadClaim", where, "entry", str(expected), str(found)),
            )


def _entries(view: View[ClaimLeaf] | None) -> dict[_Key, int]:
    """Return what each account earned from each pool by the leaves that are known and could be claims."""
    return {
        (claim.row.account, pool_id): reward
        for claim in (view.by_key.values() if view else ())
        if leaf_fault(claim.row.entries) is None
        for pool_id, reward in claim.row.rewards().items()
    }


def _rewards(trees: Trees) -> dict[_Key, int]:
    return {
        (node, pool.row.pool_id): leaf.row.reward
        for pool, nodes in trees.by_pool()
        if pool.row.pool_id in trees.inputs
        for node, leaf in nodes.by_key.items()
    }


def _evidence(trees: Trees, account: Address, pool_id: int) -> Words | None:
    """Return a `ClaimEvidence`, or None where something of it is not known."""
    claims = _shown(trees.claims, account)
    parents: _Claims | None = ()
    if trees.header.epoch:
        parents = _shown(trees.parent_claims, account)
    earned = _earned(trees, account, pool_id)
    if claims is None or parents is None or earned is None:
        return None
    pool, nodes = earned
    return (
        [claim_words(claim) for claim in claims],
        [claim_words(claim) for claim in parents],
        leaf_words(pool),
        leaf_words(nodes),
    )


def _shown(view: View[ClaimLeaf] | None, account: Address) -> _Claims | None:
    shown = view.shown(account) if view else None
    if shown is None or not all(claim.is_sound for claim in shown):
        return None
    if any(claim.row.account == account and leaf_fault(claim.row.entries) for claim in shown):
        return None
    return shown


def _earned(
    trees: Trees, account: Address, pool_id: int
) -> tuple[tuple[PoolLeaf, ...], tuple[NodeLeaf, ...]] | None:
    """Return what shows the reward; nothing for a pool that was not open, of which the chain knows it itself."""
    if pool_id not in trees.inputs:
        return (), ()
    pool = trees.pools.by_key.get(pool_id)
    nodes = trees.nodes(pool).shown(account) if pool else None
    return None if pool is None or nodes is None else ((pool,), nodes)
