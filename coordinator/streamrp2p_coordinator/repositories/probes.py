"""What the coordinator's own viewers saw, and how many bytes a second the streams have."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, select, update

from streamrp2p.evidence import Facts
from streamrp2p.numbers import Address, SessionId
from streamrp2p_coordinator.probing.outcome import Outcome
from streamrp2p_coordinator.repositories.base import Repository
from streamrp2p_coordinator.tables import ProbeRow, StreamRateRow, TallyRow, table_of

_probes = table_of(ProbeRow)
_rates = table_of(StreamRateRow)
_tallies = table_of(TallyRow)


@dataclass(frozen=True, slots=True)
class StoredProbe:
    """A probe. `started_at` is in Unix seconds; `bytes_received` are those of objects that came whole and right."""

    probe_id: int
    pool_id: int
    node: Address
    session_id: SessionId
    started_at: int
    seconds: int
    outcome: Outcome
    bytes_received: int
    bytes_per_second: int
    evidence: Facts


class Probes(Repository):
    """One row per probe, one per pool and epoch."""

    def begin(self, pool_id: int, node: Address, session_id: SessionId, started_at: int) -> int:
        """Keep a probe that sets out, as void, and return its id. So its session can always be told from a viewer's."""
        statement = _probes.insert().values(
            pool_id=pool_id,
            node=node,
            session_id=session_id,
            started_at=started_at,
            seconds=0,
            outcome=str(Outcome.VOID),
            bytes=0,
            bytes_per_second=0,
            evidence="{}",
        )
        row = self._connection.execute(statement.returning(_probes.c.id))
        return int(row.scalar_one())

    def end(
        self,
        probe_id: int,
        outcome: Outcome,
        *,
        seconds: int,
        bytes_received: int,
        bytes_per_second: int,
        evidence: Facts,
    ) -> None:
        """Keep what a probe found."""
        self._connection.execute(
            update(_probes)
            .where(_probes.c.id == probe_id)
            .values(
                seconds=seconds,
                outcome=str(outcome),
                bytes=bytes_received,
                bytes_per_second=bytes_per_second,
                evidence=json.dumps(evidence, sort_keys=True),
            )
        )

    def find(self, probe_id: int) -> StoredProbe:
        """Return a probe that is kept."""
        query = select(_probes).where(_probes.c.id == probe_id)
        return _stored(self._connection.execute(query).one())

    def newest(self, limit: int, node: Address | None = None) -> list[StoredProbe]:
        """Return the newest probes, newest first; of one node, or of all."""
        query = select(_probes).order_by(_probes.c.started_at.desc(), _probes.c.id.desc())
        if node is not None:
            query = query.where(_probes.c.node == node)
        return [_stored(row) for row in self._connection.execute(query.limit(limit))]

    def since(self, started_at: int) -> list[StoredProbe]:
        """Return the probes that set out at a time or later, oldest first."""
        query = select(_probes).where(_probes.c.started_at >= started_at)
        rows = self._connection.execute(query.order_by(_probes.c.started_at, _probes.c.id))
        return [_stored(row) for row in rows]

    def last_of_each_node(self, since: int) -> dict[Address, StoredProbe]:
        """Return each node's newest probe that set out since."""
        return {probe.node: probe for probe in self.since(since)}

    def sessions(self, since: int) -> set[SessionId]:
        """Return the sessions that were probes, of those that set out since."""
        query = select(_probes.c.session_id).where(_probes.c.started_at >= since)
        return {SessionId(session_id) for (session_id,) in self._connection.execute(query)}

    def weights(self, pool_id: int, epochs: Iterable[int]) -> dict[Address, int]:
        """Return what each node's acknowledged records of a pool weigh in some epochs."""
        query = select(_tallies.c.node, _tallies.c.weight).where(
            _tallies.c.pool_id == pool_id, _tallies.c.epoch.in_(list(epochs))
        )
        found: dict[Address, int] = {}
        for node, weight in self._connection.execute(query):
            found[Address(node)] = found.get(Address(node), 0) + weight
        return found

    def forget(self, started_before: int, before_epoch: int) -> None:
        """Remove old probes and rates."""
        self._connection.execute(delete(_probes).where(_probes.c.started_at < started_before))
        self._connection.execute(delete(_rates).where(_rates.c.epoch < before_epoch))

    def keep_rate(self, pool_id: int, epoch: int, bytes_per_second: int) -> None:
        """Keep a measured rate, unless a higher one of that epoch is known."""
        known = self.rate(pool_id, epoch)
        if known is None or known < bytes_per_second:
            row = {"pool_id": pool_id, "epoch": epoch, "bytes_per_second": bytes_per_second}
            self._upsert(_rates, [row])

    def rate(self, pool_id: int, epoch: int) -> int | None:
        """Return the bytes per second of a pool's stream in an epoch; None when nobody measured it."""
        query = select(_rates.c.bytes_per_second)
        return self._connection.execute(
            query.where(_rates.c.pool_id == pool_id, _rates.c.epoch == epoch)
        ).scalar_one_or_none()

    def rates(self, epoch: int) -> dict[int, int]:
        """Return the bytes per second that were measured in an epoch, by pool."""
        query = select(_rates.c.pool_id, _rates.c.bytes_per_second).where(_rates.c.epoch == epoch)
        return {row.pool_id: row.bytes_per_second for row in self._connection.execute(query)}


def _stored(row: Row[Any]) -> StoredProbe:
    return StoredProbe(
        probe_id=row.id,
        pool_id=row.pool_id,
        node=Address(row.node),
        session_id=SessionId(row.session_id),
        started_at=row.started_at,
        seconds=row.seconds,
        outcome=Outcome(row.outcome),
        bytes_received=row.bytes,
        bytes_per_second=row.bytes_per_second,
        evidence=json.loads(row.evidence),
    )
