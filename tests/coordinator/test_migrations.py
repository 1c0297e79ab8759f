"""From the schema of every revision the steps lead to the newest one, and keep every row."""

from contextlib import closing
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, Table, select
from sqlalchemy.types import Boolean, Integer, LargeBinary, Numeric, TypeEngine

from streamrp2p_coordinator.database import open_database
from streamrp2p_coordinator.migrate import FOLDER, known_revisions, migrate

NOT_MADE_UP = {"alembic_version", "sessions"}
"""A step reads the sessions' records; tests/coordinator/test_explanations.py has real ones."""


def upgrade(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def made_up(kind: TypeEngine[Any]) -> object:
    if isinstance(kind, LargeBinary):
        return b"\x01" * 20
    if isinstance(kind, Boolean):
        return True
    return 7 if isinstance(kind, (Integer, Numeric)) else "7"


def tables(engine: Engine) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(engine)
    return [table for table in metadata.sorted_tables if table.name not in NOT_MADE_UP]


@pytest.mark.parametrize("revision", known_revisions())
def test_every_row_of_an_older_schema_is_there_after_migrating(
    database_url: str, revision: str
) -> None:
    with closing(open_database(database_url)) as database:
        engine = database.engine
        upgrade(engine, revision)
        older = tables(engine)
        with engine.begin() as connection:
            for table in older:
                row = {column.name: made_up(column.type) for column in table.columns}
                connection.execute(table.insert(), [row])
            before = {table.name: connection.execute(select(table)).all() for table in older}

        assert migrate(database) == known_revisions()[-1]

        with engine.connect() as connection:
            assert {
                table.name: connection.execute(select(table)).all() for table in older
            } == before
