"""Whether what was settled is what was acknowledged, from public data alone."""

from collections import Counter
from collections.abc import Iterator, Mapping

from benchmarks.load.stage import Stage
from streamrp2p.audit import ByteIdentical, audit
from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.settlement import GENESIS, Parent

Weights = Mapping[tuple[int, bytes], int]


def audited(stage: Stage, last: int) -> Iterator[tuple[int, Bundle]]:
    """Recompute and yield each epoch up to `last`; raises AssertionError at the first difference."""
    parent = GENESIS
    rewards: Counter[tuple[int, bytes]] = Counter()
    poster = stage.chain.epoch_book.poster()
    for epoch in range(last + 1):
        committed = stage.chain.epoch_book.commits(epoch)
        if len(committed) != 1:
            raise AssertionError(f"epoch {epoch} was committed {len(committed)} times")
        header = committed[0].header
        data = stage.client.bundle(header.data_hash)
        pools = stage.chain.reward_pools.pool_inputs(epoch)
        verdict = audit(stage.domain, header, data, parent, pools, poster)
        if not isinstance(verdict, ByteIdentical):
            raise AssertionError(f"epoch {epoch} cannot be recomputed: {verdict}")
        bundle = decode_bundle(data)
        parent = Parent.of(header, bundle)
        _check_conservation(bundle, rewards)
        yield epoch, bundle


def check_epoch(bundle: Bundle, sessions: int, weights: Weights) -> None:
    """Check that every acknowledged session was settled for its node and pool, and no other one."""
    settled = {(pool.pool_id, bytes(node.node)): node.weight for pool, node, _ in bundle.by_node()}
    if len(bundle.session_records) != sessions or settled != dict(weights):
        raise AssertionError(
            f"epoch {bundle.epoch} settles {len(bundle.session_records)} sessions, acknowledged were {sessions}"
        )


def _check_conservation(bundle: Bundle, rewards: Counter[tuple[int, bytes]]) -> None:
    """Nothing is made, and nothing lost: the claims are the rewards of all epochs, which the pools spent."""
    for pool, nodes in bundle.by_pool():
        paid = sum(node.reward for node in nodes)
        if not pool.spend - len(nodes) < paid <= pool.spend and nodes:
            raise AssertionError(f"pool {pool.pool_id} spends {pool.spend} and pays {paid}")
        for node in nodes:
            rewards[pool.pool_id, bytes(node.node)] += node.reward
    claimed = {
        (pool_id, bytes(claim.account)): amount
        for claim in bundle.claims
        for pool_id, amount in claim.rewards().items()
    }
    if claimed != {key: amount for key, amount in rewards.items() if amount}:
        raise AssertionError(f"the claims of epoch {bundle.epoch} are not the rewards up to it")
