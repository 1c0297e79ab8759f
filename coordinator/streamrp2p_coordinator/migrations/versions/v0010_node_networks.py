"""Which network a node is in: endpoints name hosts, whose addresses are looked up when health is checked."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("nodes", sa.Column("network", sa.String(), nullable=True))
