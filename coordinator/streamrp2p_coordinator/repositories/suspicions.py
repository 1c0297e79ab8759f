"""Suspicions against nodes, and what nodes object to rejections."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, or_, select, update

from streamrp2p.evidence import Appeal, Facts, canonical_json
from streamrp2p.numbers import Address, SessionId, Signature
from streamrp2p.suspicion import FIRST_NOTE, Suspicion
from streamrp2p.verify import Code
from streamrp2p_coordinator.repositories.base import Repository
from streamrp2p_coordinator.tables import AppealRow, SuspicionRow, table_of

_suspicions = table_of(SuspicionRow)
_appeals = table_of(AppealRow)


@dataclass(frozen=True, slots=True)
class StoredSuspicion:
    """A suspicion with its number and its times."""

    id: int
    suspicion: Suspicion
    made_at: int
    until: int
    withdrawn_at: int | None


@dataclass(frozen=True, slots=True)
class StoredAppeal:
    """An appeal with its number, and the answer if there is one."""

    id: int
    appeal: Appeal
    signature: Signature
    filed_at: int
    answer: str | None
    answered_at: int | None


class Suspicions(Repository):
    """One row per suspicion, one per appeal."""

    def refusing(self, node: Address, now: int) -> dict[int | None, Suspicion]:
        """Return the suspicions that make intake refuse a node's records now, by pool; None: in all pools."""
        rows = self._connection.execute(
            select(_suspicions)
            .where(
                _suspicions.c.node == node,
                _suspicions.c.until > now,
                _suspicions.c.withdrawn_at.is_(None),
                _suspicions.c.code < FIRST_NOTE,
            )
            .order_by(_suspicions.c.code.desc())
        )
        # Of several in one pool the lowest code stands.
        return {row.pool_id: _stored(row).suspicion for row in rows}

    def find(self, number: int) -> StoredSuspicion | None:
        """Return a suspicion by its number."""
        query = select(_suspicions).where(_suspicions.c.id == number)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _stored(row)

    def open(self, now: int) -> list[StoredSuspicion]:
        """Return the suspicions that hold now, the newest first."""
        rows = self._connection.execute(
            select(_suspicions)
            .where(_suspicions.c.until > now, _suspicions.c.withdrawn_at.is_(None))
            .order_by(_suspicions.c.id.desc())
        )
        return [_stored(row) for row in rows]

    def keep(
        self, found: Iterable[Suspicion], now: int, until: int, withdrawn_after: int
    ) -> list[Suspicion]:
        """Let suspicions hold until a time, and return those that are new.

        One that holds already holds longer. One that was withdrawn after `withdrawn_after` is not made again.
        """
        known = {
            (row.code, row.pool_id, row.node): row.id if row.withdrawn_at is None else None
            for row in self._connection.execute(
                select(_suspicions)
                .where(
                    or_(
                        and_(_suspicions.c.until > now, _suspicions.c.withdrawn_at.is_(None)),
                        _suspicions.c.withdrawn_at > withdrawn_after,
                    )
                )
                .order_by(_suspicions.c.id)
            )
        }
        new = []
        for suspicion in found:
            key = suspicion.code, suspicion.pool_id, suspicion.node
            changed = {"until": until, "evidence": canonical_json(suspicion.evidence)}
            if key not in known:
                self._insert(
                    _suspicions,
                    [
                        {
                            "code": suspicion.code,
                            "pool_id": suspicion.pool_id,
                            "node": suspicion.node,
                            "made_at": now,
                            **changed,
                        }
                    ],
                )
                new.append(suspicion)
            elif known[key] is not None:
                self._connection.execute(
                    update(_suspicions).where(_suspicions.c.id == known[key]).values(changed)
                )
        return new

    def withdraw(self, number: int, now: int) -> None:
        """Take a suspicion back."""
        self._connection.execute(
            update(_suspicions)
            .where(_suspicions.c.id == number, _suspicions.c.withdrawn_at.is_(None))
            .values(withdrawn_at=now)
        )

    def appeals_of(self, node: Address, limit: int) -> list[StoredAppeal]:
        """Return a node's newest appeals, the newest first."""
        rows = self._connection.execute(
            select(_appeals)
            .where(_appeals.c.node == node)
            .order_by(_appeals.c.id.desc())
            .limit(limit)
        )
        return [_stored_appeal(row) for row in rows]

    def unanswered_appeals(self, limit: int) -> list[StoredAppeal]:
        """Return the appeals that wait for an answer, the oldest first."""
        rows = self._connection.execute(
            select(_appeals)
            .where(_appeals.c.answered_at.is_(None))
            .order_by(_appeals.c.id)
            .limit(limit)
        )
        return [_stored_appeal(row) for row in rows]

    def appeal_to(
        self, node: Address, session_id: SessionId, sequence: int, code: int
    ) -> StoredAppeal | None:
        """Return the appeal that a node filed against a rejection."""
        row = self._connection.execute(
            select(_appeals).where(
                _appeals.c.node == node,
                _appeals.c.session_id == session_id,
                _appeals.c.sequence == sequence,
                _appeals.c.code == code,
            )
        ).one_or_none()
        return None if row is None else _stored_appeal(row)

    def file(self, appeal: Appeal, signature: Signature, now: int) -> StoredAppeal:
        """Keep an appeal and return it."""
        statement = _appeals.insert().values(
            node=appeal.node,
            session_id=appeal.session_id,
            sequence=appeal.sequence,
            code=appeal.code,
            text=appeal.text,
            signed_at=appeal.signed_at,
            signature=signature,
            filed_at=now,
        )
        return _stored_appeal(self._connection.execute(statement.returning(_appeals)).one())

    def answer(self, number: int, text: str, now: int) -> StoredAppeal | None:
        """Answer an appeal and return it, if there is one of that number."""
        statement = (
            update(_appeals).where(_appeals.c.id == number).values(answer=text, answered_at=now)
        )
        row = self._connection.execute(statement.returning(_appeals)).one_or_none()
        return None if row is None else _stored_appeal(row)


def _stored(row: Row[Any]) -> StoredSuspicion:
    evidence: Facts = json.loads(row.evidence)
    return StoredSuspicion(
        row.id,
        Suspicion(Code(row.code), Address(row.node), row.pool_id, evidence),
        row.made_at,
        row.until,
        row.withdrawn_at,
    )


def _stored_appeal(row: Row[Any]) -> StoredAppeal:
    return StoredAppeal(
        row.id,
        Appeal(
            Address(row.node),
            SessionId(row.session_id),
            row.sequence,
            row.code,
            row.text,
            row.signed_at,
        ),
        Signature(row.signature),
        row.filed_at,
        row.answer,
        row.answered_at,
    )
