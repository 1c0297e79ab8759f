"""What the coordinator keeps, one class per table. They are storage: nothing is validated here.

Addresses have 20 bytes, hashes and session ids 32, times are Unix seconds. Epochs that come from the
clock or the chain fit 63 bits; those that a node merely says may have 64.
"""

from typing import Any, cast

from sqlalchemy import BigInteger, Column, Index, Table
from sqlmodel import Field, SQLModel

from streamrp2p_coordinator.column_types import UINT64_DIGITS, Unsigned


def table_of(model: type[SQLModel]) -> Table:
    """Return the table of a model, for statements that skip the ORM."""
    return cast("Table", model.__table__)  # type: ignore[attr-defined]


def _big(*, primary_key: bool = False) -> Any:  # noqa: ANN401 - as SQLModel's own
    return Field(sa_type=BigInteger, primary_key=primary_key)


def _maybe_big() -> Any:  # noqa: ANN401 - as SQLModel's own
    return Field(default=None, sa_type=BigInteger, nullable=True)


def _base_units() -> Any:  # noqa: ANN401 - as SQLModel's own
    return Field(sa_type=Unsigned)


def _maybe_base_units() -> Any:  # noqa: ANN401 - as SQLModel's own
    return Field(default=None, sa_type=Unsigned, nullable=True)


class ChainStateRow(SQLModel, table=True):
    """Up to where the chain was read: one row."""

    __tablename__ = "chain_state"
    id: int = Field(default=1, primary_key=True)
    block_number: int = _big()
    block_time: int = _big()
    synced_at: int = _big()


class LeaderRow(SQLModel, table=True):
    """The newest term of a leader: one row. Whoever leads holds the lock as well."""

    __tablename__ = "leader"
    id: int = Field(default=1, primary_key=True)
    term: int = _big()
    name: str
    since: int = _big()


class PoolRow(SQLModel, table=True):
    """A pool with its stream record, as last read from the chain."""

    __tablename__ = "pools"
    pool_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    streamer: bytes
    token: bytes
    origin_key: bytes
    origin_url: str
    max_bytes_per_second: int = _big()
    created_epoch: int = _big()
    closed_from_epoch: int | None = _maybe_big()
    funded: int = _base_units()


class PoolTermsRow(SQLModel, table=True):
    """A pool's terms in one epoch. They are fixed once they were read in a block of that epoch or later.

    `funded` counts the deposits up to the epoch; once read in a block of a later one (`is_over`) it is fixed too.
    """

    __tablename__ = "pool_terms"
    pool_id: int = _big(primary_key=True)
    epoch: int = _big(primary_key=True)
    price_per_gb: int = _base_units()
    epoch_budget: int = _base_units()
    ticket_signer: bytes
    is_fixed: bool
    funded: int | None = _maybe_base_units()
    is_over: bool = False


class NodeRow(SQLModel, table=True):
    """A node by its newest accepted registration."""

    __tablename__ = "nodes"
    node: bytes = Field(primary_key=True)
    payout: bytes
    endpoint: str
    nonce: int = Field(sa_column=Column(Unsigned(UINT64_DIGITS), nullable=False))
    is_healthy: bool
    checked_at: int | None = _maybe_big()
    unreachable_at: int | None = _maybe_big()
    suspended_at: int | None = _maybe_big()
    network: str | None = None


class RegistrationRow(SQLModel, table=True):
    """A registration that was accepted, to be relayed to the chain; `state` is pending, done or failed."""

    __tablename__ = "registrations"
    node: bytes = Field(primary_key=True)
    nonce: int = Field(sa_column=Column(Unsigned(UINT64_DIGITS), primary_key=True))
    payout: bytes
    endpoint: str
    deadline: int = Field(sa_column=Column(Unsigned(UINT64_DIGITS), nullable=False))
    signature: bytes
    state: str


class TicketRow(SQLModel, table=True):
    """An issued ticket, kept to count a node's load and to see which tickets are used.

    `viewer_network` is the asker's network under a name of the day (`NetworkSecretRow`), absent if it asked from here.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        Index("tickets_by_load", "expires_at", "node"),
        Index("tickets_by_viewer", "viewer_network", "expires_at"),
    )
    session_id: bytes = Field(primary_key=True)
    epoch: int = _big()
    pool_id: int = _big()
    node: bytes
    expires_at: int = _big()
    viewer_network: bytes | None = None


class NetworkSecretRow(SQLModel, table=True):
    """What networks are named with on one day (Unix time / 86 400). It is removed when no ticket has such a name."""

    __tablename__ = "network_secrets"
    day: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    secret: bytes


class BatchRow(SQLModel, table=True):
    """A batch that was judged, and the very bytes of the answer."""

    __tablename__ = "batches"
    node: bytes = Field(primary_key=True)
    epoch: int = Field(sa_column=Column(Unsigned(UINT64_DIGITS), primary_key=True))
    batch_number: int = Field(sa_column=Column(Unsigned(UINT64_DIGITS), primary_key=True))
    batch_root: bytes
    answer: bytes


class SessionRow(SQLModel, table=True):
    """The record that stands for a session: 274 bytes."""

    __tablename__ = "sessions"
    session_id: bytes = Field(primary_key=True)
    epoch: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    node: bytes
    record: bytes


class TallyRow(SQLModel, table=True):
    """What the records of `sessions` add up to for one node in one pool: kept with them, in the same transaction."""

    __tablename__ = "tallies"
    __table_args__ = (Index("tallies_by_node", "node", "epoch"),)
    epoch: int = _big(primary_key=True)
    pool_id: int = _big(primary_key=True)
    node: bytes = Field(primary_key=True)
    sessions: int = _big()
    bytes_delivered: int = _base_units()
    bytes_on_time: int = _base_units()
    weight: int = _base_units()


class EvidenceRow(SQLModel, table=True):
    """A record of the same sequence but other content than the one that was kept."""

    __tablename__ = "evidence"
    record: bytes = Field(primary_key=True)
    session_id: bytes
    epoch: int = _big()


class EarningPoolRow(SQLModel, table=True):
    """A pool that a node earns or earned from; intake allows 256 of them."""

    __tablename__ = "earning_pools"
    node: bytes = Field(primary_key=True)
    pool_id: int = _big(primary_key=True)


class RejectionRow(SQLModel, table=True):
    """A signed rejection for the epoch's bundle: the first of each session, sequence and code.

    `evidence` is canonical JSON, signed apart from the rejection; it is absent in rows of before there was one.
    """

    __tablename__ = "rejections"
    __table_args__ = (Index("rejections_by_node", "epoch", "node"),)
    epoch: int = _big(primary_key=True)
    session_id: bytes = Field(primary_key=True)
    sequence: int = _big(primary_key=True)
    code: int = Field(primary_key=True)
    node: bytes
    encoded: bytes
    evidence: str | None = None
    evidence_signature: bytes | None = None


class SuspicionRow(SQLModel, table=True):
    """A rule's or the operator's verdict on a node in a pool, or in all of them; `evidence` is canonical JSON.

    It holds from `made_at` to `until`, and no longer once it is withdrawn.
    """

    __tablename__ = "suspicions"
    __table_args__ = (Index("suspicions_by_node", "node", "until"),)
    id: int | None = Field(default=None, primary_key=True)
    code: int
    pool_id: int | None = _maybe_big()
    node: bytes
    made_at: int = _big()
    until: int = _big()
    evidence: str
    withdrawn_at: int | None = _maybe_big()


class AppealRow(SQLModel, table=True):
    """A node's objection to a rejection, with its signature, and the operator's answer."""

    __tablename__ = "appeals"
    __table_args__ = (Index("appeals_by_node", "node", "session_id", "sequence", "code"),)
    id: int | None = Field(default=None, primary_key=True)
    node: bytes
    session_id: bytes
    sequence: int = _big()
    code: int
    text: str
    signed_at: int = _big()
    signature: bytes
    filed_at: int = _big()
    answer: str | None = None
    answered_at: int | None = _maybe_big()


class EpochRow(SQLModel, table=True):
    """One epoch's way from intake to finality.

    `is_intake_closed` is set before anything is settled and never taken back. The header stands
    from the settlement on; a voided header is taken away and noted.
    """

    __tablename__ = "epochs"
    epoch: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    is_intake_closed: bool = False
    header: bytes | None = None
    committed_at: int | None = _maybe_big()
    commit_transaction: bytes | None = None
    is_final: bool = False
    finalise_transaction: bytes | None = None
    is_voided: bool = False
    voided_header_hash: bytes | None = None


class PoolResultRow(SQLModel, table=True):
    """A pool's row in a settled epoch, and the terms and deposits that it was settled by.

    Those are absent in rows of epochs that were settled by a version that did not keep them.
    """

    __tablename__ = "pool_results"
    epoch: int = _big(primary_key=True)
    pool_id: int = _big(primary_key=True)
    weight: int = _base_units()
    spend: int = _base_units()
    cumulative_spend: int = _base_units()
    price_per_gb: int | None = _maybe_base_units()
    epoch_budget: int | None = _maybe_base_units()
    ticket_signer: bytes | None = None
    funded: int | None = _maybe_base_units()


class RewardRow(SQLModel, table=True):
    """A node's row in one pool of a settled epoch, with what it had earned there up to then."""

    __tablename__ = "rewards"
    __table_args__ = (Index("rewards_by_node", "node", "epoch"),)
    epoch: int = _big(primary_key=True)
    pool_id: int = _big(primary_key=True)
    node: bytes = Field(primary_key=True)
    sessions: int = _big()
    bytes_delivered: int = _base_units()
    bytes_on_time: int = _base_units()
    weight: int = _base_units()
    reward: int = _base_units()
    cumulative_reward: int = _base_units()


class TransactionRow(SQLModel, table=True):
    """A signed transaction of the poster, recorded before it is sent. `state`: see `repositories.transactions`.

    `due_at`: until when it must be mined, None if ever.
    """

    __tablename__ = "transactions"
    __table_args__ = (
        Index("transactions_by_state", "state", "nonce"),
        Index("transactions_by_sender", "sender", "nonce"),
    )
    hash: bytes = Field(primary_key=True)
    sender: bytes | None = None
    purpose: str
    subject: str
    nonce: int = _big()
    raw: bytes
    to_address: bytes
    call_data: bytes
    value: int = _base_units()
    state: str
    recorded_at: int = _big()
    due_at: int | None = _maybe_big()


class ProbeRow(SQLModel, table=True):
    """A probe: kept from before its node heard of it, as void until it is judged. `evidence` is JSON of named facts."""

    __tablename__ = "probes"
    __table_args__ = (
        Index("probes_by_node", "node", "started_at"),
        Index("probes_by_session", "session_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    pool_id: int = _big()
    node: bytes
    session_id: bytes
    started_at: int = _big()
    seconds: int = _big()
    outcome: str
    bytes: int = _big()
    bytes_per_second: int = _big()
    evidence: str


class StreamRateRow(SQLModel, table=True):
    """The highest rate of a pool's largest rendition that was measured in an epoch."""

    __tablename__ = "stream_rates"
    pool_id: int = _big(primary_key=True)
    epoch: int = _big(primary_key=True)
    bytes_per_second: int = _big()


class SignInNonceRow(SQLModel, table=True):
    """A nonce that was handed out for one sign-in, and not used yet."""

    __tablename__ = "sign_in_nonces"
    nonce: str = Field(primary_key=True)
    expires_at: int = _big()


class SignInRow(SQLModel, table=True):
    """An account that is signed in, by the Keccak-256 of its token: the token itself is kept nowhere."""

    __tablename__ = "sign_ins"
    token_hash: bytes = Field(primary_key=True)
    account: bytes
    expires_at: int = _big()


MODELS: tuple[type[SQLModel], ...] = (
    ChainStateRow,
    LeaderRow,
    PoolRow,
    PoolTermsRow,
    NodeRow,
    RegistrationRow,
    TicketRow,
    NetworkSecretRow,
    BatchRow,
    SessionRow,
    TallyRow,
    EvidenceRow,
    EarningPoolRow,
    RejectionRow,
    SuspicionRow,
    AppealRow,
    EpochRow,
    PoolResultRow,
    RewardRow,
    TransactionRow,
    ProbeRow,
    StreamRateRow,
    SignInNonceRow,
    SignInRow,
)
