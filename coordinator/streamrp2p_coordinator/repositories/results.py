"""Settled results, as rows to be asked for. The bundle is their source: they can be made again from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, select

from streamrp2p.allocation import Terms
from streamrp2p.bundle import Bundle
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.explanation import tally_of
from streamrp2p.numbers import Address
from streamrp2p.settlement import PoolInput
from streamrp2p.tally import Tally
from streamrp2p_coordinator.repositories.base import Repository, in_lists
from streamrp2p_coordinator.tables import PoolResultRow, RewardRow, table_of

_pool_results = table_of(PoolResultRow)
_rewards = table_of(RewardRow)


_INPUTS = ("price_per_gb", "epoch_budget", "ticket_signer", "funded")


@dataclass(frozen=True, slots=True)
class Share:
    """A node's part in a pool of a settled epoch; `pool` is absent where it was not kept."""

    pool_id: int
    own: Tally
    pool_weight: int
    previous_cumulative_spend: int
    pool: PoolInput | None


@dataclass(frozen=True, slots=True)
class EpochResults:
    """The rows of a settled epoch. Make them before the transaction that keeps them: it may take long."""

    epoch: int
    pool_rows: list[dict[str, Any]]
    reward_rows: list[dict[str, Any]]

    @classmethod
    def of(cls, bundle: Bundle, pools: Iterable[PoolInput]) -> "EpochResults":
        """Read them from an epoch's bundle; `pools` are what it was settled by."""
        inputs = {pool.pool_id: pool for pool in pools}
        pool_rows = [
            {
                "epoch": bundle.epoch,
                "pool_id": row.pool_id,
                "weight": row.weight,
                "spend": row.spend,
                "cumulative_spend": row.cumulative_spend,
                **_inputs(inputs.get(row.pool_id)),
            }
            for row in bundle.pool_rows
        ]
        cumulative = {claim.account: claim for claim in bundle.claims}
        reward_rows = []
        for pool_row, node_row, encoded in bundle.by_node():
            tally = tally_of(encoded)
            claim = cumulative.get(node_row.node, ClaimLeaf(node_row.node, ()))
            reward_rows.append(
                {
                    "epoch": bundle.epoch,
                    "pool_id": pool_row.pool_id,
                    "node": node_row.node,
                    "sessions": node_row.session_count,
                    "bytes_delivered": tally.bytes_delivered,
                    "bytes_on_time": tally.bytes_on_time,
                    "weight": node_row.weight,
                    "reward": node_row.reward,
                    "cumulative_reward": claim.rewards().get(pool_row.pool_id, 0),
                }
            )
        return cls(bundle.epoch, pool_rows, reward_rows)


class Results(Repository):
    """Rows per epoch and pool, and per epoch, pool and node."""

    def forget(self, epoch: int) -> None:
        """Remove an epoch's results."""
        for table in (_pool_results, _rewards):
            self._connection.execute(delete(table).where(table.c.epoch == epoch))

    def keep(self, results: EpochResults) -> None:
        """Replace an epoch's results."""
        self.forget(results.epoch)
        self._insert(_pool_results, results.pool_rows)
        self._insert(_rewards, results.reward_rows)

    def shares(self, epoch: int, node: Address) -> list[Share]:
        """Return a node's part in each pool of a settled epoch, rising by pool."""
        rows = self._connection.execute(
            _with_pools(_rewards.c.epoch == epoch, _rewards.c.node == node).order_by(
                _rewards.c.pool_id
            )
        )
        return [
            Share(
                row.pool_id,
                Tally(row.sessions, row.bytes_delivered, row.bytes_on_time, row.weight),
                row.pool_weight,
                row.cumulative_spend - row.spend,
                _pool_input(row),
            )
            for row in rows
        ]

    def cumulative_spends(self, epoch: int, pool_ids: Iterable[int]) -> dict[int, int]:
        """Return what pools had spent up to a settled epoch, in base units; those without a row in it are absent."""
        found: dict[int, int] = {}
        for some in in_lists(pool_ids):
            rows = self._connection.execute(
                select(_pool_results.c.pool_id, _pool_results.c.cumulative_spend).where(
                    _pool_results.c.epoch == epoch, _pool_results.c.pool_id.in_(some)
                )
            )
            found |= {row.pool_id: row.cumulative_spend for row in rows}
        return found

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
                _with_pools(_rewards.c.node == node)
                .order_by(_rewards.c.epoch.desc(), _rewards.c.pool_id)
                .limit(limit)
            )
        )


def _with_pools(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            _rewards,
            _pool_results.c.weight.label("pool_weight"),
            *(_pool_results.c[name] for name in ("spend", "cumulative_spend", *_INPUTS)),
        )
        .join(
            _pool_results,
            (_pool_results.c.epoch == _rewards.c.epoch)
            & (_pool_results.c.pool_id == _rewards.c.pool_id),
        )
        .where(*conditions)
    )


def _inputs(pool: PoolInput | None) -> dict[str, Any]:
    """Return the columns of what a pool was settled by; a wrong header may have pools that are not open."""
    if pool is None:
        return dict.fromkeys(_INPUTS)
    terms = pool.terms
    values = (terms.price_per_gb, terms.epoch_budget, terms.ticket_signer, pool.funded)
    return dict(zip(_INPUTS, values, strict=True))


def _pool_input(row: Row[Any]) -> PoolInput | None:
    if row.funded is None:
        return None
    terms = Terms(row.price_per_gb, row.epoch_budget, Address(row.ticket_signer))
    return PoolInput(row.pool_id, terms, row.funded)
