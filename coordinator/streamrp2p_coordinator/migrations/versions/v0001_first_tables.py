"""The first tables."""

import sqlalchemy as sa
from alembic import op

from streamrp2p_coordinator.column_types import Unsigned

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "batches",
        sa.Column("node", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", Unsigned(20), nullable=False),
        sa.Column("batch_number", Unsigned(20), nullable=False),
        sa.Column("batch_root", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("node", "epoch", "batch_number"),
    )
    op.create_table(
        "chain_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_time", sa.BigInteger(), nullable=False),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "earning_pools",
        sa.Column("node", sa.LargeBinary(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", "pool_id"),
    )
    op.create_table(
        "epochs",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_intake_closed", sa.Boolean(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=True),
        sa.Column("committed_at", sa.BigInteger(), nullable=True),
        sa.Column("commit_transaction", sa.LargeBinary(), nullable=True),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("finalise_transaction", sa.LargeBinary(), nullable=True),
        sa.Column("is_voided", sa.Boolean(), nullable=False),
        sa.Column("voided_header_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("epoch"),
    )
    op.create_table(
        "evidence",
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("record"),
    )
    op.create_table(
        "nodes",
        sa.Column("node", sa.LargeBinary(), nullable=False),
        sa.Column("payout", sa.LargeBinary(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("nonce", Unsigned(20), nullable=False),
        sa.Column("is_healthy", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("node"),
    )
    op.create_table(
        "pool_results",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("weight", Unsigned(78), nullable=False),
        sa.Column("spend", Unsigned(78), nullable=False),
        sa.Column("cumulative_spend", Unsigned(78), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "pool_id"),
    )
    op.create_table(
        "pool_terms",
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("price_per_gb", Unsigned(78), nullable=False),
        sa.Column("epoch_budget", Unsigned(78), nullable=False),
        sa.Column("ticket_signer", sa.LargeBinary(), nullable=False),
        sa.Column("is_fixed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("pool_id", "epoch"),
    )
    op.create_table(
        "pools",
        sa.Column("pool_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("streamer", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("origin_key", sa.LargeBinary(), nullable=False),
        sa.Column("origin_url", sa.String(), nullable=False),
        sa.Column("max_bytes_per_second", sa.BigInteger(), nullable=False),
        sa.Column("created_epoch", sa.BigInteger(), nullable=False),
        sa.Column("closed_from_epoch", sa.BigInteger(), nullable=True),
        sa.Column("funded", Unsigned(78), nullable=False),
        sa.PrimaryKeyConstraint("pool_id"),
    )
    op.create_table(
        "registrations",
        sa.Column("node", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", Unsigned(20), nullable=False),
        sa.Column("payout", sa.LargeBinary(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("deadline", Unsigned(20), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("node", "nonce"),
    )
    op.create_table(
        "rejections",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("node", sa.LargeBinary(), nullable=False),
        sa.Column("encoded", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "session_id", "sequence", "code"),
    )
    op.create_index("rejections_by_node", "rejections", ["epoch", "node"])
    op.create_table(
        "rewards",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.LargeBinary(), nullable=False),
        sa.Column("sessions", sa.BigInteger(), nullable=False),
        sa.Column("bytes_delivered", Unsigned(78), nullable=False),
        sa.Column("bytes_on_time", Unsigned(78), nullable=False),
        sa.Column("weight", Unsigned(78), nullable=False),
        sa.Column("reward", Unsigned(78), nullable=False),
        sa.Column("cumulative_reward", Unsigned(78), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "pool_id", "node"),
    )
    op.create_index("rewards_by_node", "rewards", ["node", "epoch"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.LargeBinary(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_index(op.f("ix_sessions_epoch"), "sessions", ["epoch"], unique=False)
    op.create_table(
        "tickets",
        sa.Column("session_id", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_index("tickets_by_load", "tickets", ["expires_at", "node"], unique=False)
    op.create_table(
        "transactions",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("to_address", sa.LargeBinary(), nullable=False),
        sa.Column("call_data", sa.LargeBinary(), nullable=False),
        sa.Column("value", Unsigned(78), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("transactions_by_state", "transactions", ["state", "nonce"], unique=False)
