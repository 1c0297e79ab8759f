"""Coordinators over both databases: SQLite in unit tests, PostgreSQL where a real one may run."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.migrate import migrate
from streamrp2p_coordinator.tables import MODELS, table_of
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


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite file: to copy it takes no time."""
    path = tmp_path_factory.mktemp("template") / "coordinator.db"
    with closing(open_database(f"sqlite:///{path}")) as database:
        migrate(database)
    return path


@pytest.fixture(scope="session")
def shared_postgres(postgres_url: str) -> Iterator[str]:
    """Migrate one PostgreSQL database for all tests, as making one takes longer than most of them; its URL."""
    with new_postgres_database(postgres_url) as url:
        with closing(open_database(url)) as database:
            migrate(database)
        yield url


def clear_postgres(url: str) -> None:
    """Take every row and every connection of an earlier test away."""
    with closing(open_database(url)) as database, database.engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        for model in MODELS:
            connection.execute(table_of(model).delete())


@pytest.fixture(params=BOTH)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Name the database of this test: it runs once on each."""
    return str(request.param)


@pytest.fixture
def empty_database_url(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """Return the URL of a database without a schema, another one than `database_url`."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with new_postgres_database(request.getfixturevalue("postgres_url")) as url:
            yield url


@pytest.fixture
def postgres_database_url(shared_postgres: str) -> str:
    """Return the URL of a migrated PostgreSQL database without a row."""
    clear_postgres(shared_postgres)
    return shared_postgres


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a migrated database, SQLite's or PostgreSQL's, whose schema must stay as it is."""
    if database_kind == "postgres":
        return str(request.getfixturevalue("postgres_database_url"))
    path = tmp_path / "coordinator.db"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Open a migrated database."""
    with closing(open_database(database_url)) as database:
        yield database


@pytest.fixture
def fresh_database(empty_database_url: str) -> Iterator[Database]:
    """Open another migrated database of the same kind, this test's own."""
    with closing(open_database(empty_database_url)) as database:
        migrate(database)
        yield database


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """Make a coordinator in the middle of epoch 1, over a chain in memory."""
    return make_world(database, tmp_path)
