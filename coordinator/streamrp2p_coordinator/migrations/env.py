"""Run by Alembic inside `migrate.migrate`, which hands the connection in."""

from alembic import context

from streamrp2p_coordinator.tables import MODELS

METADATA = MODELS[0].metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
