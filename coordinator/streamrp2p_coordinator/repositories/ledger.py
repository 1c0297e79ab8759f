"""The ledger: the record that stands for each session, evidence of two tellings, and rejections."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict

from sqlalchemy import func, select

from streamrp2p.evidence import canonical_json
from streamrp2p.numbers import Address, SessionId, Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import SignedRejection
from streamrp2p.tally import Tally
from streamrp2p.verify import Checked
from streamrp2p_coordinator.judgement import Refusal
from streamrp2p_coordinator.repositories.base import Repository, in_lists
from streamrp2p_coordinator.tables import (
    EarningPoolRow,
    EvidenceRow,
    RejectionRow,
    SessionRow,
    TallyRow,
    table_of,
)

_sessions = table_of(SessionRow)
_tallies = table_of(TallyRow)
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

    def keep(self, sessions: Collection[Checked], replaced: Mapping[SessionId, Checked]) -> None:
        """Let each record stand for its session; `replaced` are the records that stood for them so far.

        The caller holds the lock of the records' node, or two writers could lose a tally.
        """
        self._add_to_tallies(sessions, replaced)
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

    def _add_to_tallies(
        self, sessions: Iterable[Checked], replaced: Mapping[SessionId, Checked]
    ) -> None:
        changed: dict[tuple[int, Address], dict[int, Tally]] = {}
        for checked in sessions:
            ticket, before = checked.record.ticket, replaced.get(checked.session_id)
            owner = ticket.epoch, ticket.node
            if owner not in changed:
                changed[owner] = self.tallies(*owner)
            tally = changed[owner].get(ticket.pool_id, Tally()) + Tally.of(checked.record)
            if before is not None:
                tally -= Tally.of(before.record)
            changed[owner][ticket.pool_id] = tally
        self._upsert(
            _tallies,
            [
                {"epoch": epoch, "pool_id": pool_id, "node": node, **asdict(tally)}
                for (epoch, node), tallies in changed.items()
                for pool_id, tally in tallies.items()
            ],
        )

    def tallies(self, epoch: int, node: Address) -> dict[int, Tally]:
        """Return what a node's sessions of an epoch add up to, by pool."""
        rows = self._connection.execute(
            select(_tallies).where(_tallies.c.epoch == epoch, _tallies.c.node == node)
        )
        return {
            row.pool_id: Tally(row.sessions, row.bytes_delivered, row.bytes_on_time, row.weight)
            for row in rows
        }

    def weights(self, first: int, last: int, pool_ids: Iterable[int]) -> dict[int, Counter[int]]:
        """Return pools' weights in the epochs from `first` to `last`, by epoch and pool."""
        found: defaultdict[int, Counter[int]] = defaultdict(Counter)
        for some in in_lists(pool_ids):
            # Added up here: on SQLite these numbers are text.
            rows = self._connection.execute(
                select(_tallies.c.epoch, _tallies.c.pool_id, _tallies.c.weight).where(
                    _tallies.c.epoch.between(first, last), _tallies.c.pool_id.in_(some)
                )
            )
            for epoch, pool_id, weight in rows:
                found[epoch][pool_id] += weight
        return dict(found)

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
        self, epoch: int, node: Address, rejections: Iterable[Refusal], limit: int
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
                    "session_id": refusal.signed.session_id,
                    "sequence": refusal.signed.sequence,
                    "code": refusal.signed.code,
                    "node": node,
                    "encoded": refusal.signed.encode(),
                    "evidence": None
                    if refusal.evidence is None
                    else canonical_json(refusal.evidence),
                    "evidence_signature": refusal.evidence_signature,
                }
                for refusal in list(rejections)[:room]
            ],
        )

    def rejection_counts(self, node: Address, limit: int) -> list[tuple[int, int]]:
        """Return `(epoch, rejections)` of a node's newest epochs that have some, newest first."""
        rows = self._connection.execute(
            select(_rejections.c.epoch, func.count())
            .where(_rejections.c.node == node)
            .group_by(_rejections.c.epoch)
            .order_by(_rejections.c.epoch.desc())
            .limit(limit)
        )
        return [(epoch, count) for epoch, count in rows]

    def has_rejection(self, node: Address, session_id: SessionId, sequence: int, code: int) -> bool:
        """Tell whether a rejection of a node is on record."""
        query = select(_rejections.c.epoch).where(
            _rejections.c.node == node,
            _rejections.c.session_id == session_id,
            _rejections.c.sequence == sequence,
            _rejections.c.code == code,
        )
        return self._connection.execute(query.limit(1)).one_or_none() is not None

    def rejections_of(self, node: Address, epoch: int, limit: int) -> tuple[int, list[Refusal]]:
        """Return how many rejections a node has in an epoch, and the first `limit` in the order of their bytes."""
        own = (_rejections.c.epoch == epoch, _rejections.c.node == node)
        count = self._connection.execute(
            select(func.count()).select_from(_rejections).where(*own)
        ).scalar_one()
        rows = self._connection.execute(
            select(_rejections.c.encoded, _rejections.c.evidence, _rejections.c.evidence_signature)
            .where(*own)
            .order_by(_rejections.c.encoded)
            .limit(limit)
        )
        return count, [
            Refusal(
                SignedRejection.decode(encoded),
                None if evidence is None else json.loads(evidence),
                None if signature is None else Signature(signature),
            )
            for encoded, evidence, signature in rows
        ]

    def rejections(self, epoch: int) -> list[SignedRejection]:
        """Return the rejections of an epoch."""
        rows = self._connection.execute(
            select(_rejections.c.encoded).where(_rejections.c.epoch == epoch)
        )
        return [SignedRejection.decode(data) for (data,) in rows]
