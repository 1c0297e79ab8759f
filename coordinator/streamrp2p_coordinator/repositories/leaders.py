"""Who leads, and in which term."""

from dataclasses import dataclass

from sqlalchemy import select

from streamrp2p_coordinator.repositories.base import Repository
from streamrp2p_coordinator.tables import LeaderRow, table_of

_leader = table_of(LeaderRow)


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a leader: `name` is host:pid, `since` Unix seconds."""

    number: int
    name: str
    since: int


class Leaders(Repository):
    """The newest term alone."""

    def newest(self) -> Term | None:
        """Return the newest term, also of a leader that is gone; None before the first."""
        row = self._connection.execute(select(_leader)).one_or_none()
        return None if row is None else Term(row.term, row.name, row.since)

    def begin_term(self, name: str, now: int) -> int:
        """Begin the next term and return its number. Waits for the last transaction of the term before."""
        before = self._connection.execute(select(_leader.c.term).with_for_update()).scalar()
        term = (before or 0) + 1
        self._upsert(_leader, [{"id": 1, "term": term, "name": name, "since": now}])
        return term

    def is_in_term(self, term: int) -> bool:
        """Tell whether that term lasts, and let none begin before this transaction ends."""
        statement = select(_leader.c.term).with_for_update(read=True)
        return self._connection.execute(statement).scalar() == term
