"""The chain's pools, as last read."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, select

from streamrp2p.allocation import Terms
from streamrp2p.numbers import Address
from streamrp2p.settlement import PoolInput
from streamrp2p_coordinator.chain import Block
from streamrp2p_coordinator.repositories.base import Repository, in_lists
from streamrp2p_coordinator.tables import ChainStateRow, PoolRow, PoolTermsRow, table_of

_state = table_of(ChainStateRow)
_pools = table_of(PoolRow)
_terms = table_of(PoolTermsRow)


@dataclass(frozen=True, slots=True)
class KnownPool:
    """A pool with its stream record; `funded` is all that it was ever funded, in base units."""

    pool_id: int
    streamer: Address
    token: Address
    origin_key: Address
    origin_url: str
    max_bytes_per_second: int
    created_epoch: int
    closed_from_epoch: int | None
    funded: int

    def is_open(self, epoch: int) -> bool:
        """Tell whether the pool is open in an epoch."""
        return self.created_epoch <= epoch and (
            self.closed_from_epoch is None or epoch < self.closed_from_epoch
        )


class Pools(Repository):
    """A cache: it can be dropped and read again."""

    def read_until(self) -> Block | None:
        """Return the block that the cache was last read at."""
        row = self._connection.execute(select(_state)).one_or_none()
        return None if row is None else Block(row.block_number, row.block_time)

    def synced_at(self) -> int | None:
        """Return when the cache was last read, in Unix seconds of this machine."""
        return self._connection.execute(select(_state.c.synced_at)).scalar_one_or_none()

    def mark_read(self, block: Block, now: int) -> None:
        """Note that the cache was read at a block."""
        values = {"block_number": block.number, "block_time": block.time, "synced_at": now}
        self._upsert(_state, [{"id": 1, **values}])

    def find(self, pool_id: int) -> KnownPool | None:
        """Return a pool, if the chain has it."""
        query = select(_pools).where(_pools.c.pool_id == pool_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _pool(row)

    def some(self, pool_ids: Iterable[int]) -> dict[int, KnownPool]:
        """Return those of the pools that the chain has, by id."""
        found: dict[int, KnownPool] = {}
        for some in in_lists(pool_ids):
            rows = self._connection.execute(select(_pools).where(_pools.c.pool_id.in_(some)))
            found |= {row.pool_id: _pool(row) for row in rows}
        return found

    def of_streamer(self, streamer: Address) -> list[int]:
        """Return the ids of a streamer's pools, rising."""
        query = select(_pools.c.pool_id).where(_pools.c.streamer == streamer)
        return list(self._connection.execute(query.order_by(_pools.c.pool_id)).scalars())

    def all(self) -> list[KnownPool]:
        """Return every pool, rising by id."""
        return [
            _pool(row)
            for row in self._connection.execute(select(_pools).order_by(_pools.c.pool_id))
        ]

    def keep(self, pools: Iterable[KnownPool]) -> None:
        """Replace what is known of pools."""
        self._upsert(
            _pools,
            [
                {
                    "pool_id": pool.pool_id,
                    "streamer": pool.streamer,
                    "token": pool.token,
                    "origin_key": pool.origin_key,
                    "origin_url": pool.origin_url,
                    "max_bytes_per_second": pool.max_bytes_per_second,
                    "created_epoch": pool.created_epoch,
                    "closed_from_epoch": pool.closed_from_epoch,
                    "funded": pool.funded,
                }
                for pool in pools
            ],
        )

    def terms(self, epoch: int) -> dict[int, Terms]:
        """Return each pool's terms in the epoch or, where they were not read yet, the newest before it."""
        rows = self._connection.execute(
            select(_terms).where(_terms.c.epoch <= epoch).order_by(_terms.c.epoch)
        )
        return {row.pool_id: _terms_of(row) for row in rows}

    def terms_of(self, pool_id: int, epoch: int) -> Terms | None:
        """Return one pool's terms the same way."""
        row = self._connection.execute(
            select(_terms)
            .where(_terms.c.pool_id == pool_id, _terms.c.epoch <= epoch)
            .order_by(_terms.c.epoch.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else _terms_of(row)

    def fixed_terms(self, epoch: int, pool_ids: Iterable[int]) -> dict[int, Terms]:
        """Return the terms that can no longer change, by pool."""
        found: dict[int, Terms] = {}
        for some in in_lists(pool_ids):
            rows = self._connection.execute(
                select(_terms).where(
                    _terms.c.epoch == epoch,
                    _terms.c.is_fixed.is_(True),
                    _terms.c.pool_id.in_(some),
                )
            )
            found |= {row.pool_id: _terms_of(row) for row in rows}
        return found

    def inputs(
        self, first: int, last: int, pool_ids: Iterable[int]
    ) -> dict[int, dict[int, PoolInput]]:
        """Return terms and deposits of the epochs from `first` to `last` as last read, by epoch and pool."""
        found: defaultdict[int, dict[int, PoolInput]] = defaultdict(dict)
        for some in in_lists(pool_ids):
            rows = self._connection.execute(
                select(_terms).where(
                    _terms.c.epoch.between(first, last),
                    _terms.c.pool_id.in_(some),
                    _terms.c.funded.is_not(None),
                )
            )
            for row in rows:
                found[row.epoch][row.pool_id] = PoolInput(row.pool_id, _terms_of(row), row.funded)
        return dict(found)

    def pools_that_are_over(self, epoch: int) -> set[int]:
        """Return the ids of the pools whose terms and deposits of the epoch need not be read again."""
        query = select(_terms.c.pool_id).where(_terms.c.epoch == epoch, _terms.c.is_over.is_(True))
        return {pool_id for (pool_id,) in self._connection.execute(query)}

    def forget_terms(self, before_epoch: int) -> None:
        """Remove the terms of epochs whose intake is over."""
        self._connection.execute(delete(_terms).where(_terms.c.epoch < before_epoch))

    def keep_inputs(
        self, epoch: int, pools: Iterable[PoolInput], *, is_fixed: bool, is_over: bool
    ) -> None:
        """Replace pools' terms and deposits of an epoch; the terms are fixed, or the deposits are as well."""
        self._upsert(
            _terms,
            [
                {
                    "pool_id": pool.pool_id,
                    "epoch": epoch,
                    "price_per_gb": pool.terms.price_per_gb,
                    "epoch_budget": pool.terms.epoch_budget,
                    "ticket_signer": pool.terms.ticket_signer,
                    "is_fixed": is_fixed,
                    "funded": pool.funded,
                    "is_over": is_over,
                }
                for pool in pools
            ],
        )


def _pool(row: Row[Any]) -> KnownPool:
    return KnownPool(
        pool_id=row.pool_id,
        streamer=row.streamer,
        token=row.token,
        origin_key=row.origin_key,
        origin_url=row.origin_url,
        max_bytes_per_second=row.max_bytes_per_second,
        created_epoch=row.created_epoch,
        closed_from_epoch=row.closed_from_epoch,
        funded=row.funded,
    )


def _terms_of(row: Row[Any]) -> Terms:
    return Terms(row.price_per_gb, row.epoch_budget, Address(row.ticket_signer))
