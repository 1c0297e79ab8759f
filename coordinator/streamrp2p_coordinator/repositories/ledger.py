"""The ledger: the record that stands for each session, evidence of two tellings, and rejections."""

from collections.abc import Collection, Iterable

from sqlalchemy import func, select

from streamrp2p.numbers import Address, SessionId
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import SignedRejection
from streamrp2p.verify import Checked
from streamrp2p_coordinator.repositories.base import Repository, in_lists
from streamrp2p_coordinator.tables import (
    EarningPoolRow,
    EvidenceRow,
    RejectionRow,
    SessionRow,
    table_of,
)

_sessions = table_of(SessionRow)
_evidence = table_of(EvidenceRow)
_earning_pools = table_of(EarningPoolRow)
_rejections = table_of(RejectionRow)


class Ledger(Repository):
    """Only records that `verify` checked are written here, so that what is read is `Checked` again."""

    def known(self, session_ids: Collection[SessionId]) -> dict[SessionId, Checked]:
        """Return the newest checked record of each session that has one."""
        found: dict[SessionId, Checked] = {}
        for some in in_lists(session_ids):
            rows = self._connection.execute(
                select(_sessions.c.session_id, _sessions.c.record).where(
                    _sessions.c.session_id.in_(some)
                )
            )
            found |= {SessionId(key): Checked(SessionRecord.decode(data)) for key, data in rows}
        return found

    def keep(self, sessions: Iterable[Checked]) -> None:
        """Let each record stand for its session."""
        self._upsert(
            _sessions,
            [
                {
                    "session_id": checked.session_id,
                    "epoch": checked.record.ticket.epoch,
                    "node": checked.record.ticket.node,
                    "record": checked.record.encode(),
                }
                for checked in sessions
            ],
        )

    def keep_evidence(self, evidence: Iterable[Checked]) -> None:
        """Keep records that contradict those that stand."""
        self._insert_new(
            _evidence,
            [
                {
                    "record": checked.record.encode(),
                    "session_id": checked.session_id,
                    "epoch": checked.record.ticket.epoch,
                }
                for checked in evidence
            ],
        )

    def evidence(self, epoch: int) -> list[bytes]:
        """Return the records of an epoch that contradict those that stand, 274 bytes each."""
        rows = self._connection.execute(
            select(_evidence.c.record).where(_evidence.c.epoch == epoch)
        )
        return [data for (data,) in rows]

    def sessions(self, epoch: int) -> list[Checked]:
        """Return every session of an epoch."""
        rows = self._connection.execute(
            select(_sessions.c.record).where(_sessions.c.epoch == epoch)
        )
        return [Checked(SessionRecord.decode(data)) for (data,) in rows]

    def earning_pools(self, node: Address) -> set[int]:
        """Return the pools that a node earns or earned from."""
        rows = self._connection.execute(
            select(_earning_pools.c.pool_id).where(_earning_pools.c.node == node)
        )
        return {pool_id for (pool_id,) in rows}

    def add_earning_pools(self, node: Address, pool_ids: Iterable[int]) -> None:
        """Note that a node earns from pools."""
        self._insert_new(
            _earning_pools, [{"node": node, "pool_id": pool_id} for pool_id in pool_ids]
        )

    def keep_rejections(
        self, epoch: int, node: Address, rejections: Iterable[SignedRejection], limit: int
    ) -> None:
        """Keep rejections for the epoch's bundle: the first of each kind, at most `limit` of a node."""
        kept = self._connection.execute(
            select(func.count())
            .select_from(_rejections)
            .where(_rejections.c.epoch == epoch, _rejections.c.node == node)
        ).scalar_one()
        room = max(limit - kept, 0)
        self._insert_new(
            _rejections,
            [
                {
                    "epoch": epoch,
                    "session_id": signed.session_id,
                    "sequence": signed.sequence,
                    "code": signed.code,
                    "node": node,
                    "encoded": signed.encode(),
                }
                for signed in list(rejections)[:room]
            ],
        )

    def rejections(self, epoch: int) -> list[SignedRejection]:
        """Return the rejections of an epoch."""
        rows = self._connection.execute(
            select(_rejections.c.encoded).where(_rejections.c.epoch == epoch)
        )
        return [SignedRejection.decode(data) for (data,) in rows]
