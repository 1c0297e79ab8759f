"""What the demo saw: collected by the run, judged by `checks`, told by `report`. Nothing in it is an opinion.

Byte counts are of media objects; token amounts are base units; times are Unix seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from streamrp2p.bundle import Bundle
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Address, Hash, SessionId
from streamrp2p.receipt import SessionRecord
from streamrp2p.typed_data import Domain
from streamrp2p_demo.adversaries.corrupting_proxy import ServedObject


@dataclass(frozen=True, slots=True)
class EpochFacts:
    """One epoch that the coordinator committed, with what the auditor says of it."""

    header: EpochHeader
    bundle: Bundle
    is_final: bool
    commit_gas: int
    finalise_gas: int | None
    audit_exit_code: int
    audit_verdict: str
    audited_rewards: Mapping[Address, int]
    """Each account's cumulative reward up to this epoch, as the auditor recomputed it."""

    @property
    def epoch(self) -> int:
        """The epoch's number."""
        return self.header.epoch

    def records(self) -> list[SessionRecord]:
        """Return the epoch's session records."""
        return [SessionRecord.decode(record) for record in self.bundle.session_records]

    def spend(self) -> int:
        """Return what all pools paid for the epoch."""
        return sum(row.spend for row in self.bundle.pool_rows)


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """One relay at the end of the run, on chain."""

    name: str
    node: Address
    payout: Address
    balance: int
    """Tokens that the payout address holds; it held none at the start."""
    claimed: int
    """What the reward contract says that it paid to the node's account."""
    claim_gas: int | None
    claim_exit_code: int


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """The demo's pool at the end of the run, on chain."""

    pool_id: int
    funded: int
    remaining: int
    paid: int
    """The sum of the contract's own `Claimed` events."""
    contract_balance: int


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What a viewer says of one relay, or of the origin (`node` None), over all its sessions there."""

    node: Address | None
    bytes_delivered: int
    objects_refused: int
    receipts_accepted: int
    """How many of its receipts the relay took, which means: has on its disk."""
    departures: tuple[str, ...]
    """Why it left, each time: the reference viewer's reasons."""
    sessions: Mapping[SessionId, int]
    """The verified bytes that it signed for in each session."""


@dataclass(frozen=True, slots=True)
class ViewerFacts:
    """One honest viewer's own report; `bytes_delivered` are verified and from relays."""

    name: str
    exit_code: int | None
    bytes_delivered: int
    bytes_on_time: int
    sources: tuple[SourceFacts, ...]

    def source(self, node: Address) -> SourceFacts | None:
        """Return what it says of a relay, or None if it never was there."""
        return next((source for source in self.sources if source.node == node), None)


@dataclass(frozen=True, slots=True)
class OverReport:
    """What the over-reporting viewer did: an honest receipt, then one of more bytes than it got."""

    session_id: SessionId
    node: Address
    epoch: int
    honest_sequence: int
    honest_bytes: int
    inflated_sequence: int
    inflated_bytes: int


@dataclass(frozen=True, slots=True)
class Corruption:
    """What passed through the public face of the corrupting relay."""

    node: Address
    served: tuple[ServedObject, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The coordinator's answer to one batch; `bytes` is all of it, to compare."""

    batch_number: int
    accepted: int
    rejections: tuple[int, ...]
    encoded: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What the double-submitting relay did with one record that had been acknowledged before."""

    node: Address
    record: bytes
    first: Answer
    """The answer to the relay's own batch, which held the record and perhaps others."""
    second: Answer
    """The answer to the same record in another batch."""
    repeated: Answer
    """The answer to that batch, sent again byte for byte."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One record that the poster acknowledged: the bundle must hold the session with at least this sequence."""

    epoch: int
    session_id: SessionId
    sequence: int


@dataclass(frozen=True, slots=True)
class Crash:
    """A relay that was killed with SIGKILL and started again in the same epoch."""

    name: str
    node: Address
    epoch: int
    restarted_in_epoch: int
    promises: tuple[Promise, ...]
    """What had been acknowledged to it, before the crash and after, read from its own disk."""
    promises_before: int
    """How many of them are from before the crash."""


@dataclass(frozen=True, slots=True)
class Inflation:
    """What the inflating poster settled: more bytes in one session than its viewer signed for."""

    epoch: int
    node: Address
    session_id: SessionId
    signed_bytes: int
    settled_bytes: int
    header_hash: Hash


@dataclass(frozen=True, slots=True)
class Challenge:
    """A transaction that voided a header, as the chain has it. Amounts in wei."""

    epoch: int
    header_hash: Hash
    """The header that was voided."""
    function: str
    """What was called, as `Contract.function`."""
    transaction_hash: Hash
    challenger: Address
    reward_wei: int
    burned_wei: int
    seconds_left: int
    """How long the challenge window was still open."""


@dataclass(frozen=True, slots=True)
class FraudFacts:
    """What became of the poster that lied once; `inflation` is None when it did not come so far."""

    inflation: Inflation | None
    watcher: Address
    challenges: tuple[Challenge, ...]
    credit_wei: int
    """What the book owes the watchman at the end."""
    required_bond_wei: int
    bond_wei: int
    """What the poster has bonded at the end."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the checks judge."""

    domain: Domain
    poster: Address
    epochs_wanted: int
    pool: PoolFacts
    epochs: tuple[EpochFacts, ...]
    nodes: tuple[NodeFacts, ...]
    viewers: tuple[ViewerFacts, ...]
    over_report: OverReport | None
    corruption: Corruption
    replay: Replay | None
    crash: Crash
    fraud: FraudFacts | None = None
    """None in a run without the inflating poster."""
    left_behind: tuple[str, ...] = ()
