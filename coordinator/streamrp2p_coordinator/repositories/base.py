"""What the repositories share: a connection, and upserts in the database's own words."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Item = TypeVar("Item")
IN_LIST_ITEMS = 500
"""SQLite and PostgreSQL both take far more parameters than this in one statement."""


class Repository:
    """Base: one connection, one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def is_postgresql(self) -> bool:
        """Tell which of the two databases this is."""
        return self._connection.dialect.name == "postgresql"

    def _insert(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(table.insert(), rows)

    def _insert_new(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Insert the rows whose primary key is not there yet."""
        if rows:
            insert = postgresql.insert if self.is_postgresql else sqlite.insert
            self._connection.execute(insert(table).on_conflict_do_nothing(), rows)

    def _upsert(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows, or replace those of the same primary key in all columns given."""
        if not rows:
            return
        keys = [column.name for column in table.primary_key.columns]
        others = [name for name in rows[0] if name not in keys]
        if self.is_postgresql:
            postgres = postgresql.insert(table)
            self._connection.execute(
                postgres.on_conflict_do_update(
                    index_elements=keys, set_={name: postgres.excluded[name] for name in others}
                ),
                rows,
            )
        else:
            lite = sqlite.insert(table)
            self._connection.execute(
                lite.on_conflict_do_update(
                    index_elements=keys, set_={name: lite.excluded[name] for name in others}
                ),
                rows,
            )


def in_lists(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Cut items into lists that fit one statement."""
    everything = list(items)
    for start in range(0, len(everything), IN_LIST_ITEMS):
        yield everything[start : start + IN_LIST_ITEMS]
