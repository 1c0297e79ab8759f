"""Coordinators over both databases: SQLite in unit tests, PostgreSQL where a real one may run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.migrate import migrate
from tests.coordinator.world import World, make_world
from tests.support.secrets import DATABASE_PASSWORD

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.integration)]


@contextmanager
def new_postgres_database(server_url: str) -> Iterator[str]:
    """Make an empty database in the session's PostgreSQL, and drop it in the end; its URL."""
    name = f"coordinator_{uuid4().hex}"
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        # The server asks for none, and the driver hands it over all the same.
        url = make_url(server_url).set(database=name, password=DATABASE_PASSWORD)
        yield url.render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        engine.dispose()


@pytest.fixture
def postgres_database_url(postgres_url: str) -> Iterator[str]:
    """Return the URL of an empty PostgreSQL database."""
    with new_postgres_database(postgres_url) as url:
        yield url


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty database, SQLite's or PostgreSQL's."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'coordinator.db'}"
    else:
        yield request.getfixturevalue("postgres_database_url")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Open a migrated database."""
    database = open_database(database_url)
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """Make a coordinator in the middle of epoch 1, over a chain in memory."""
    return make_world(database, tmp_path)
