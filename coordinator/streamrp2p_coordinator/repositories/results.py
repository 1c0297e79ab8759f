"""Settled results, as rows to be asked for. The bundle is their source: they can be made again from it."""

from typing import Any

from sqlalchemy import delete, func, select

from streamrp2p.bundle import Bundle
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p_coordinator.repositories.base import Repository
from streamrp2p_coordinator.tables import PoolResultRow, RewardRow, table_of

_pool_results = table_of(PoolResultRow)
_rewards = table_of(RewardRow)


class Results(Repository):
    """Rows per epoch and pool, and per epoch, pool and node."""

    def forget(self, epoch: int) -> None:
        """Remove an epoch's results."""
        for table in (_pool_results, _rewards):
            self._connection.execute(delete(table).where(table.c.epoch == epoch))

    def keep(self, bundle: Bundle) -> None:
        """Replace an epoch's results by those of its bundle."""
        self.forget(bundle.epoch)
        self._insert(
            _pool_results,
            [
                {
                    "epoch": bundle.epoch,
                    "pool_id": row.pool_id,
                    "weight": row.weight,
                    "spend": row.spend,
                    "cumulative_spend": row.cumulative_spend,
                }
                for row in bundle.pool_rows
            ],
        )
        cumulative = {claim.account: claim for claim in bundle.claims}
        rows = []
        for pool_row, node_row, encoded in bundle.by_node():
            receipts = [SessionRecord.decode(record).receipt for record in encoded]
            claim = cumulative.get(node_row.node, ClaimLeaf(node_row.node, ()))
            rows.append(
                {
                    "epoch": bundle.epoch,
                    "pool_id": pool_row.pool_id,
                    "node": node_row.node,
                    "sessions": node_row.session_count,
                    "bytes_delivered": sum(receipt.bytes_delivered for receipt in receipts),
                    "bytes_on_time": sum(receipt.bytes_on_time for receipt in receipts),
                    "weight": node_row.weight,
                    "reward": node_row.reward,
                    "cumulative_reward": claim.rewards().get(pool_row.pool_id, 0),
                }
            )
        self._insert(_rewards, rows)

    def cumulative_spend(self, pool_id: int) -> int:
        """Return what a pool had spent up to the newest settled epoch, in base units."""
        query = (
            select(_pool_results.c.cumulative_spend)
            .where(_pool_results.c.pool_id == pool_id)
            .order_by(_pool_results.c.epoch.desc())
            .limit(1)
        )
        return int(self._connection.execute(query).scalar_one_or_none() or 0)

    def cumulative_rewards(self, node: Address, last_epoch: int) -> dict[int, int]:
        """Return what a node earned in each pool up to an epoch, in base units."""
        newest = (
            select(_rewards.c.pool_id, func.max(_rewards.c.epoch).label("epoch"))
            .where(_rewards.c.node == node, _rewards.c.epoch <= last_epoch)
            .group_by(_rewards.c.pool_id)
            .subquery()
        )
        rows = self._connection.execute(
            select(_rewards.c.pool_id, _rewards.c.cumulative_reward)
            .join(
                newest,
                (newest.c.pool_id == _rewards.c.pool_id) & (newest.c.epoch == _rewards.c.epoch),
            )
            .where(_rewards.c.node == node)
        )
        return {row.pool_id: row.cumulative_reward for row in rows}

    def of_node(self, node: Address, limit: int) -> list[Any]:
        """Return a node's newest rows with those of their pools, newest first."""
        return list(
            self._connection.execute(
                select(
                    _rewards,
                    _pool_results.c.weight.label("pool_weight"),
                    _pool_results.c.spend.label("spend"),
                )
                .join(
                    _pool_results,
                    (_pool_results.c.epoch == _rewards.c.epoch)
                    & (_pool_results.c.pool_id == _rewards.c.pool_id),
                )
                .where(_rewards.c.node == node)
                .order_by(_rewards.c.epoch.desc(), _rewards.c.pool_id)
                .limit(limit)
            )
        )
