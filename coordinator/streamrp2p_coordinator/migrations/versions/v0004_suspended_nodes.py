"""Since when the operator hands a node no viewers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("nodes", sa.Column("suspended_at", sa.BigInteger(), nullable=True))
