"""When a look from outside found nobody at a node's endpoint."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("nodes", sa.Column("unreachable_at", sa.BigInteger(), nullable=True))
