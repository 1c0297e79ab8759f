"""Run by Alembic inside `migrate.migrate`, which hands the connection in."""

from alembic import context

from streamrp2p_coordinator.column_types import Unsigned
from streamrp2p_coordinator.tables import MODELS

METADATA = MODELS[0].metadata


def _compare_type(
    _context: object, _inspected: object, _metadata: object, _found: object, wanted: object
) -> bool | None:
    # Alembic cannot see through a type that differs by database.
    return False if isinstance(wanted, Unsigned) else None


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    compare_type=_compare_type,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
