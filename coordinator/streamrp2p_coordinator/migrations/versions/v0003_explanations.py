"""What explains an account's epoch: tallies of sessions, deposits beside terms, the inputs of settled epochs."""

from collections import defaultdict

import sqlalchemy as sa
from alembic import op

from streamrp2p.receipt import SessionRecord
from streamrp2p.tally import Tally
from streamrp2p_coordinator.column_types import Unsigned

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BATCH = 1000


def upgrade() -> None:
    """Add the columns and the table, and count the sessions of every epoch that is not final."""
    op.add_column("pool_terms", sa.Column("funded", Unsigned(), nullable=True))
    op.add_column(
        "pool_terms", sa.Column("is_over", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for name in ("price_per_gb", "epoch_budget", "funded"):
        op.add_column("pool_results", sa.Column(name, Unsigned(), nullable=True))
    op.add_column("pool_results", sa.Column("ticket_signer", sa.LargeBinary(), nullable=True))
    tallies = op.create_table(
        "tallies",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.LargeBinary(), nullable=False),
        sa.Column("sessions", sa.BigInteger(), nullable=False),
        sa.Column("bytes_delivered", Unsigned(), nullable=False),
        sa.Column("bytes_on_time", Unsigned(), nullable=False),
        sa.Column("weight", Unsigned(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "pool_id", "node"),
    )
    op.create_index("tallies_by_node", "tallies", ["node", "epoch"])
    rows = _counted()
    if rows:
        op.bulk_insert(tallies, rows)


def _counted() -> list[dict[str, object]]:
    records = op.get_bind().execute(
        sa.text(
            "SELECT record FROM sessions "
            "WHERE epoch NOT IN (SELECT epoch FROM epochs WHERE is_final)"
        ),
        execution_options={"yield_per": BATCH},
    )
    counted: defaultdict[tuple[int, int, bytes], Tally] = defaultdict(Tally)
    for (data,) in records:
        record = SessionRecord.decode(data)
        ticket = record.ticket
        counted[ticket.epoch, ticket.pool_id, ticket.node] += Tally.of(record)
    return [
        {
            "epoch": epoch,
            "pool_id": pool_id,
            "node": node,
            "sessions": tally.sessions,
            "bytes_delivered": tally.bytes_delivered,
            "bytes_on_time": tally.bytes_on_time,
            "weight": tally.weight,
        }
        for (epoch, pool_id, node), tally in counted.items()
    ]
