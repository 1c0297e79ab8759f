"""Whose each transaction is, and until when it must be mined."""

import sqlalchemy as sa
from alembic import op
from eth_account import Account

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; who signed a transaction is known from its bytes."""
    op.add_column("transactions", sa.Column("sender", sa.LargeBinary(), nullable=True))
    op.add_column("transactions", sa.Column("due_at", sa.BigInteger(), nullable=True))
    op.create_index("transactions_by_sender", "transactions", ["sender", "nonce"])
    table = sa.table(
        "transactions",
        sa.column("hash", sa.LargeBinary()),
        sa.column("raw", sa.LargeBinary()),
        sa.column("sender", sa.LargeBinary()),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(table.c.hash, table.c.raw)).all():
        sender = bytes.fromhex(Account.recover_transaction(row.raw)[2:])
        connection.execute(table.update().where(table.c.hash == row.hash).values(sender=sender))
