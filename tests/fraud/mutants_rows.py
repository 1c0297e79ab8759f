"""Every field of every row, wrong by the least."""

from collections.abc import Iterator

from streamrp2p.keccak import keccak
from tests.fraud.mutant import Mutant, plan, variants
from tests.fraud.scene import NODES

_ELSEWHERE = keccak(b"a tree that nobody has")
_STEPS = (1, -1)


def row_mutants() -> Iterator[Mutant]:
    """Yield them."""
    yield from _pool_rows()
    yield from _node_rows()
    yield from _first_epoch()


def _pool_rows() -> Iterator[Mutant]:
    for row in plan().epoch.settled.bundle.pool_rows:
        numbers = {
            "nodeCount": ("node_count", row.node_count),
            "weight": ("weight", row.weight),
            "spend": ("spend", row.spend),
            "cumulativeSpend": ("cumulative_spend", row.cumulative_spend),
        }
        for shown, (name, value) in numbers.items():
            for step in _STEPS:
                if value + step >= 0:
                    wrong = plan()
                    wrong.pool(row.pool_id).fields[name] = value + step
                    yield from variants(
                        f"pool row: {shown}", f"pool {row.pool_id}, {step:+}", wrong
                    )
        wrong = plan()
        wrong.pool(row.pool_id).fields["nodes_root"] = _ELSEWHERE
        yield from variants("pool row: nodesRoot", f"pool {row.pool_id}", wrong)
        for other in (2, 9, 2**32 - 1):
            wrong = plan()
            wrong.pool(row.pool_id).fields["pool_id"] = other
            yield from variants("pool row: poolId", f"pool {row.pool_id} as {other}", wrong)


def _node_rows() -> Iterator[Mutant]:
    for pool, row, _ in plan().epoch.settled.bundle.by_node():
        where = f"pool {pool.pool_id}, node {NODES.index(row.node)}"
        numbers = {
            "sessionCount": ("session_count", row.session_count),
            "weight": ("weight", row.weight),
            "reward": ("reward", row.reward),
        }
        for shown, (name, value) in numbers.items():
            for step in _STEPS:
                wrong = plan()
                wrong.node(pool.pool_id, row.node).fields[name] = value + step
                yield from variants(f"node row: {shown}", f"{where}, {step:+}", wrong)
        wrong = plan()
        wrong.node(pool.pool_id, row.node).fields["sessions_root"] = _ELSEWHERE
        yield from variants("node row: sessionsRoot", where, wrong)
        wrong = plan()
        wrong.node(pool.pool_id, row.node).fields["node"] = NODES[-1]
        yield from variants("node row: node", where, wrong)


def _first_epoch() -> Iterator[Mutant]:
    """Yield money without a parent, in epoch 0."""
    row = plan(0).epoch.settled.bundle.pool_rows[0]
    for name, value in (("spend", row.spend), ("cumulative_spend", row.cumulative_spend)):
        wrong = plan(0)
        wrong.pool(1).fields[name] = value + 1
        yield from variants("pool row: in epoch 0", name, wrong)
    wrong = plan(0)
    wrong.node(1, NODES[0]).fields["reward"] = 1
    yield from variants("node row: in epoch 0", "reward", wrong)
