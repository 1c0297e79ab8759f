"""Bring the database's schema up to date. The steps ship with the package."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text

from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import ConfigurationError

FOLDER = Path(__file__).parent / "migrations"
LOCK_TIMEOUT = "5s"
"""A step that cannot get its lock gives up, instead of holding up all requests behind it."""


def migrate(database: Database) -> str:
    """Run the missing steps and return the schema's revision. Safe to run twice, and by two processes at once.

    Raises ConfigurationError when the database is newer than this version, StorageError when it does not answer.
    """
    config = _config()
    with database.serialised_connection() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ConfigurationError(
                "the database was made by a newer version of the coordinator; install that version again"
            ) from error
    return newest_revision()


def newest_revision() -> str:
    """Return the revision that this version works with."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise AssertionError("the package ships its steps")
    return revision


def known_revisions() -> list[str]:
    """Return the revisions of all steps, rising."""
    steps = ScriptDirectory.from_config(_config()).walk_revisions()
    return [step.revision for step in steps][::-1]


def current_revision(database: Database) -> str | None:
    """Return a database's revision, None before the first step. Raises StorageError."""
    with database.bare_connection() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check_schema(database: Database) -> None:
    """Raise ConfigurationError for a schema that this version does not work with. Changes nothing."""
    found, newest = current_revision(database), newest_revision()
    if found != newest:
        raise ConfigurationError(
            f"the database's schema is {found or 'not made yet'}, this version works with {newest}; run this version's "
            "coordinator, or `streamrp2p coordinator migrate`"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config
