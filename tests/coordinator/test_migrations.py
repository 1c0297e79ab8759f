"""From the schema of every revision the steps lead to the newest one, and keep every row."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from eth_account import Account
from sqlalchemy import Column, Engine, MetaData, Table, select
from sqlalchemy.types import Boolean, Integer, LargeBinary, Numeric

from streamrp2p.signatures import address_of
from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.migrate import FOLDER, known_revisions, migrate
from streamrp2p_coordinator.tables import MODELS
from streamrp2p_coordinator.web.examples import RECORD
from tests.coordinator.frozen_schemas import frozen_file, load_frozen, schema_of
from tests.support.chain import POSTER

SIGNED = Account.sign_transaction(
    {
        "chainId": 31337,
        "nonce": 7,
        "gas": 21_000,
        "to": "0x" + "00" * 20,
        "value": 0,
        "maxFeePerGas": 2,
        "maxPriorityFeePerGas": 1,
    },
    POSTER,
)


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    """Open a database without a schema."""
    with closing(open_database(empty_database_url)) as database:
        yield database


def upgrade(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def made_up(column: Column[Any]) -> object:
    if isinstance(column.type, LargeBinary):
        # Steps read these.
        read = {"record": RECORD, "raw": bytes(SIGNED.raw_transaction)}
        return read.get(column.name, b"\x01" * 20)
    if isinstance(column.type, Boolean):
        return True
    return 7 if isinstance(column.type, (Integer, Numeric)) else "7"


def tables(engine: Engine) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(engine)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


@pytest.mark.parametrize("revision", known_revisions())
def test_a_step_that_was_released_makes_what_it_made_then(empty: Database, revision: str) -> None:
    upgrade(empty.engine, revision)
    found, file = schema_of(empty.engine, revision), frozen_file(empty.engine, revision)
    if not file.exists():
        file.write_text(found)
        pytest.fail(
            f"{file} is there now: look whether the new step made what it should, and commit it"
        )
    assert found == file.read_text(), "write a new step: no released one is changed"


@pytest.mark.parametrize("revision", known_revisions())
def test_every_row_of_an_older_schema_is_there_after_migrating(
    empty: Database, revision: str
) -> None:
    load_frozen(empty.engine, revision)
    older = tables(empty.engine)
    with empty.engine.begin() as connection:
        for table in older:
            row = {column.name: made_up(column) for column in table.columns}
            connection.execute(table.insert(), [row])
        before = {table.name: connection.execute(select(table)).all() for table in older}

    assert migrate(empty) == known_revisions()[-1]

    with empty.engine.connect() as connection:
        assert {table.name: connection.execute(select(table)).all() for table in older} == before
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, MODELS[0].metadata) == []


def test_who_sent_an_older_transaction_is_read_from_its_bytes(empty: Database) -> None:
    load_frozen(empty.engine, "0007")
    (table,) = (one for one in tables(empty.engine) if one.name == "transactions")
    with empty.engine.begin() as connection:
        row = {column.name: made_up(column) for column in table.columns}
        connection.execute(table.insert(), [row])
    migrate(empty)
    with empty.read() as store:
        assert store.transactions.senders() == [address_of(POSTER)]
        assert store.transactions.next_nonce(address_of(POSTER)) == 8
