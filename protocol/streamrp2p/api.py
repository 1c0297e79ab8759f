"""The wire forms of the HTTP APIs: what coordinator, node and their clients say in JSON.

Integers up to 64 bits are numbers, wider ones decimal strings, bytes are 0x hex, names are camelCase
(docs/protocol.md section 2).
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from streamrp2p import allocation, explanation, reachability, records, typed_data
from streamrp2p.claim import ClaimProof
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.errors import MalformedError
from streamrp2p.evidence import Appeal as AppealMessage
from streamrp2p.evidence import RejectionEvidence, evidence_hash
from streamrp2p.explanation import Bound, PoolInEpoch
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import ZERO_ADDRESS, Address, Hash, SessionId, Signature
from streamrp2p.relay_path import MAX_RELAYS
from streamrp2p.settlement import PoolInput
from streamrp2p.tally import Tally
from streamrp2p.ticket_signing import TicketRequest

MAX_DIGITS = 78
"""Of 2^256 - 1."""


def _hex_bytes(length: int | None) -> tuple[object, ...]:
    pattern = f"^0x[0-9a-fA-F]{{{2 * length}}}$" if length else "^0x([0-9a-fA-F]{2})*$"

    def parse(value: object) -> bytes:
        if isinstance(value, bytes):
            data = value
        elif isinstance(value, str) and value.startswith("0x"):
            data = bytes.fromhex(value[2:])
            if len(value) != 2 + 2 * len(data):  # fromhex passes over blanks
                raise ValueError("expected hex digits alone after 0x")
        else:
            raise ValueError("expected 0x followed by hex digits")
        if length is not None and len(data) != length:
            raise ValueError(f"expected {length} bytes, got {len(data)}")
        return data

    return (
        BeforeValidator(parse),
        PlainSerializer(lambda data: "0x" + data.hex(), return_type=str),
        WithJsonSchema({"type": "string", "pattern": pattern}),
    )


def _decimal(bits: int) -> tuple[object, ...]:
    def parse(value: object) -> int:
        if (
            isinstance(value, str)
            and value.isascii()
            and value.isdigit()
            and len(value) <= MAX_DIGITS
        ):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:
            raise ValueError(f"expected a decimal string below 2^{bits}")
        return value

    return (
        BeforeValidator(parse),
        PlainSerializer(str, return_type=str),
        WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,78}$"}),
    )


AddressHex = Annotated[bytes, *_hex_bytes(20)]
HashHex = Annotated[bytes, *_hex_bytes(32)]
SignatureHex = Annotated[bytes, *_hex_bytes(65)]
BytesHex = Annotated[bytes, *_hex_bytes(None)]
Uint16 = Annotated[int, Field(ge=0, lt=1 << 16, strict=True)]
Uint32 = Annotated[int, Field(ge=0, lt=1 << 32, strict=True)]
Uint64 = Annotated[int, Field(ge=0, lt=1 << 64, strict=True)]
Uint128 = Annotated[int, *_decimal(128)]
Uint256 = Annotated[int, *_decimal(256)]


class Wire(BaseModel):
    """Base of all wire forms: camelCase, unknown fields refused."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )

    def dump(self) -> dict[str, Any]:
        """Return the JSON object."""
        return self.model_dump(mode="json", by_alias=True)


class SessionTicket(Wire):
    """Wire form of `typed_data.SessionTicket`."""

    pool_id: Uint32
    epoch: Uint64
    node: AddressHex
    viewer: AddressHex
    max_bytes: Uint64
    issued_at: Uint64
    expires_at: Uint64
    nonce: Uint256

    def message(self) -> typed_data.SessionTicket:
        """Return the signed message."""
        return typed_data.SessionTicket(**dict(self))

    @classmethod
    def of(cls, ticket: typed_data.SessionTicket) -> "SessionTicket":
        """Return the wire form."""
        return cls.model_validate({name: getattr(ticket, name) for name in cls.model_fields})


class Receipt(Wire):
    """Wire form of `typed_data.Receipt`."""

    session_id: HashHex
    sequence: Uint32
    bytes_delivered: Uint64
    bytes_on_time: Uint64
    media_sequence: Uint64
    signed_at: Uint64

    def message(self) -> typed_data.Receipt:
        """Return the signed message."""
        return typed_data.Receipt(**dict(self))


class NodeRegistration(Wire):
    """Wire form of `typed_data.NodeRegistration`."""

    node: AddressHex
    payout: AddressHex
    endpoint: Annotated[str, Field(max_length=256)]
    nonce: Uint64
    deadline: Uint64

    def message(self) -> typed_data.NodeRegistration:
        """Return the signed message."""
        return typed_data.NodeRegistration(**dict(self))


class ReceiptSubmission(Wire):
    """Wire form of `typed_data.ReceiptSubmission`."""

    node: AddressHex
    epoch: Uint64
    batch_number: Uint64
    batch_root: HashHex
    count: Uint32

    def message(self) -> typed_data.ReceiptSubmission:
        """Return the signed message."""
        return typed_data.ReceiptSubmission(**dict(self))


class BatchAck(Wire):
    """Wire form of `typed_data.BatchAck`."""

    node: AddressHex
    epoch: Uint64
    batch_number: Uint64
    accepted_root: HashHex
    accepted: Uint32
    received_at: Uint64

    def message(self) -> typed_data.BatchAck:
        """Return the signed message."""
        return typed_data.BatchAck(**dict(self))


class Rejection(Wire):
    """Wire form of `typed_data.Rejection`."""

    session_id: HashHex
    sequence: Uint32
    code: Uint16
    received_at: Uint64

    def message(self) -> typed_data.Rejection:
        """Return the signed message."""
        return typed_data.Rejection(**dict(self))


class Header(Wire):
    """Wire form of `header.EpochHeader`."""

    epoch: Uint64
    parent: HashHex
    pools_root: HashHex
    pool_count: Uint32
    weight: Uint128
    claims_root: HashHex
    claim_count: Uint32
    data_hash: HashHex

    def header(self) -> EpochHeader:
        """Return the header."""
        return EpochHeader(**dict(self))


# --- coordinator -----------------------------------------------------------------------------


class Config(Wire):
    """GET /v1/config: what a node, viewer or auditor must know. `time` is the coordinator's clock."""

    chain_id: Uint64
    epoch_book: AddressHex
    reward_pools: AddressHex
    node_registry: AddressHex
    poster: AddressHex
    ticket_signer: AddressHex
    genesis: Uint64
    epoch_seconds: Uint64
    intake_grace_seconds: Uint64
    challenge_seconds: Uint64
    rate_slack_seconds: Uint64
    max_batch_records: Uint32
    time: Uint64


class Terms(Wire):
    """A pool's terms in the current epoch, base units."""

    price_per_gb: Annotated[int, *_decimal(128), Field(alias="pricePerGB")]
    epoch_budget: Uint128
    ticket_signer: AddressHex


class Pool(Wire):
    """GET /v1/pools/{poolId}: a pool with its stream record, as read from the chain."""

    pool_id: Uint32
    streamer: AddressHex
    token: AddressHex
    origin_key: AddressHex
    origin_url: str
    max_bytes_per_second: Uint32
    created_epoch: Uint64
    closed_from_epoch: Uint64 | None
    terms: Terms
    funded: Uint128


class Pools(Wire):
    """GET /v1/pools."""

    pools: list[Pool]


class SignedRegistration(Wire):
    """POST /v1/nodes."""

    registration: NodeRegistration
    signature: SignatureHex


RegistrationState = Literal["pending", "done", "failed"]
"""On its way to the chain, held by it, or to be signed again: the chain did not take it in time, or refuses it."""


class Node(Wire):
    """GET /v1/nodes/{node}, by its newest registration; `open_sessions` counts the tickets that have not expired."""

    node: AddressHex
    payout: AddressHex
    endpoint: str
    nonce: Uint64
    registration: RegistrationState
    is_healthy: bool
    open_sessions: int


class Nodes(Wire):
    """GET /v1/nodes."""

    nodes: list[Node]


class NodeCheck(Wire):
    """Wire form of `reachability.NodeCheck`."""

    node: AddressHex
    endpoint: Annotated[str, Field(max_length=256)]
    requested_at: Uint64

    def message(self) -> reachability.NodeCheck:
        """Return the signed message."""
        return reachability.NodeCheck(**dict(self))


class SignedNodeCheck(Wire):
    """POST /v1/reachability: a node asks to be looked at from outside, registered or not."""

    check: NodeCheck
    signature: SignatureHex


class CheckStep(Wire):
    """One step of a look at a node. `code` is `ok`, or names what is wrong; `fix` says what to do about it.

    A step that is `ok` may have a `fix` too: the node works, but not for all or not as well as it could.
    """

    step: Annotated[str, Field(max_length=32)]
    ok: bool
    code: Annotated[str, Field(max_length=64)]
    detail: Annotated[str, Field(max_length=1000)]
    fix: Annotated[str | None, Field(max_length=1000)] = None


class Reachability(Wire):
    """Answer to POST /v1/reachability: the steps in their order, up to the first that failed.

    `seen_from` is the IP address that the question came from; `checked_at` in Unix seconds.
    """

    endpoint: str
    is_reachable: bool
    steps: Annotated[list[CheckStep], Field(max_length=32)]
    seen_from: Annotated[str | None, Field(max_length=64)]
    checked_at: Uint64


class SessionRequest(Wire):
    """POST /v1/sessions: a viewer asks to be admitted to a node, other than those it excludes."""

    pool_id: Uint32
    viewer: AddressHex
    excluded_nodes: Annotated[list[AddressHex], Field(max_length=64)] = []


class Session(Wire):
    """Answer to POST /v1/sessions."""

    ticket: SessionTicket
    signature: SignatureHex
    endpoint: str


class Batch(Wire):
    """POST /v1/batches: `records` are `count` session records of 274 bytes, concatenated."""

    submission: ReceiptSubmission
    signature: SignatureHex
    records: BytesHex


class SignedRejection(Wire):
    """A rejection with the poster's signature; `reason` explains the code to a person."""

    rejection: Rejection
    signature: SignatureHex
    reason: str
    evidence: dict[str, int | str] | None = None
    evidence_signature: SignatureHex | None = None
    """The poster's, of the `evidence.RejectionEvidence` of the facts."""

    def evidence_message(self) -> RejectionEvidence:
        """Return what `evidence_signature` signs."""
        name = self.rejection
        return RejectionEvidence(
            SessionId(name.session_id),
            name.sequence,
            name.code,
            evidence_hash(self.evidence or {}),
        )

    def record(self) -> records.SignedRejection:
        """Return the signed rejection."""
        message = self.rejection.message()
        return records.SignedRejection(
            message.session_id,
            message.sequence,
            message.code,
            message.received_at,
            Signature(self.signature),
        )


class Appeal(Wire):
    """Wire form of `evidence.Appeal`."""

    node: AddressHex
    session_id: HashHex
    sequence: Uint32
    code: Uint16
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    signed_at: Uint64

    def message(self) -> AppealMessage:
        """Return the signed message."""
        return AppealMessage(**dict(self))


class SignedAppeal(Wire):
    """POST /v1/appeals: a node objects to a rejection."""

    appeal: Appeal
    signature: SignatureHex

    @classmethod
    def of(cls, message: AppealMessage, signature: Signature) -> "SignedAppeal":
        """Return the wire form of a message and its signature."""
        return cls(
            appeal=Appeal(
                node=message.node,
                session_id=message.session_id,
                sequence=message.sequence,
                code=message.code,
                text=message.text,
                signed_at=message.signed_at,
            ),
            signature=signature,
        )


class FiledAppeal(Wire):
    """An appeal as it is kept, with the operator's answer if there is one."""

    id: int
    appeal: Appeal
    filed_at: int
    answer: str | None
    answered_at: int | None


class FiledAppeals(Wire):
    """GET /v1/nodes/{node}/appeals: the newest, newest first."""

    appeals: list[FiledAppeal]


class BatchAnswer(Wire):
    """Answer to POST /v1/batches. Records without a rejection are acknowledged, in the order of the batch."""

    ack: BatchAck
    signature: SignatureHex
    rejections: list[SignedRejection]


EpochState = Literal["open", "intake", "settling", "committed", "final", "voided"]


class Epoch(Wire):
    """GET /v1/epochs/{epoch}. `header` is there once the epoch is settled."""

    epoch: Uint64
    state: EpochState
    starts_at: Uint64
    ends_at: Uint64
    intake_ends_at: Uint64
    header: Header | None = None
    header_hash: HashHex | None = None
    commit_transaction: HashHex | None = None
    committed_at: Uint64 | None = None
    challenge_ends_at: Uint64 | None = None
    finalise_transaction: HashHex | None = None


class Epochs(Wire):
    """GET /v1/epochs, newest first."""

    epochs: list[Epoch]


class PoolEarning(Wire):
    """An account's cumulative reward in one pool, base units: in the newest settled and in the newest final epoch."""

    pool_id: Uint32
    token: AddressHex
    settled: Uint128
    final: Uint128


class EpochEarning(Wire):
    """What an account earned in one pool in one epoch, and from what."""

    epoch: Uint64
    pool_id: Uint32
    sessions: Uint32
    bytes_delivered: Uint64
    bytes_on_time: Uint64
    weight: Uint128
    pool_weight: Uint128
    spend: Uint128
    reward: Uint128


class Earnings(Wire):
    """GET /v1/accounts/{account}/earnings; `epochs` newest first."""

    account: AddressHex
    pools: list[PoolEarning]
    epochs: list[EpochEarning]


class PoolExplanation(Wire):
    """Wire form of `explanation.PoolExplanation`, amounts in base units, with every step that can be checked by hand.

    `worth = floor(poolWeight · pricePerGB / 10^9)`, `fundsLeft = max(funded - previousCumulativeSpend, 0)`,
    `spend = min(worth, epochBudget, fundsLeft)`, of which `boundBy` names the smallest, and
    `reward = floor(spend · weight / poolWeight)`. `weight` is `bytesOnTime` plus half of each session's late bytes,
    rounded down.
    """

    pool_id: Uint32
    sessions: Uint32
    bytes_delivered: Uint128
    bytes_on_time: Uint128
    weight: Uint128
    pool_weight: Uint128
    price_per_gb: Annotated[int, *_decimal(128), Field(alias="pricePerGB")]
    worth: Uint256
    epoch_budget: Uint128
    funded: Uint128
    previous_cumulative_spend: Uint128
    funds_left: Uint128
    spend: Uint128
    bound_by: Bound
    reward: Uint128


class Explanation(Wire):
    """Why an account earns so much in an epoch, pool by pool. The same bytes follow from the epoch's bundle."""

    account: AddressHex
    epoch: Uint64
    pools: list[PoolExplanation]

    @classmethod
    def of(cls, explained: explanation.Explanation) -> "Explanation":
        """Return the wire form."""
        return cls(
            account=explained.account,
            epoch=explained.epoch,
            pools=[_pool_explanation(pool) for pool in explained.pools],
        )

    def recomputed(self) -> explanation.Explanation:
        """Explain anew from what goes into the steps; raises MalformedError where a step here is another.

        Raises SettlementError for weights that cannot be.
        """
        states = [
            PoolInEpoch(
                PoolInput(
                    pool.pool_id,
                    allocation.Terms(pool.price_per_gb, pool.epoch_budget, ZERO_ADDRESS),
                    pool.funded,
                ),
                pool.previous_cumulative_spend,
                pool.pool_weight,
            )
            for pool in self.pools
        ]
        own = {
            pool.pool_id: Tally(
                pool.sessions, pool.bytes_delivered, pool.bytes_on_time, pool.weight
            )
            for pool in self.pools
        }
        explained = explanation.explain(Address(self.account), self.epoch, states, own)
        if Explanation.of(explained) != self:
            raise MalformedError(
                f"the explanation of epoch {self.epoch} does not follow from its own figures"
            )
        return explained


class AccountEpoch(Wire):
    """GET /v1/accounts/{account}/epochs/{epoch}: why the account earns so much, and what was refused to it.

    Until the epoch `is_settled` the explanation is an estimate, of what came in so far. `refusals` are the first of
    `refusal_count`, in the order of the bundle.
    """

    state: EpochState
    is_settled: bool
    explanation: Explanation
    refusal_count: Uint32
    refusals: list[SignedRejection]


class Claim(Wire):
    """GET /v1/accounts/{account}/claim: the proof of the newest final epoch (or of `?epoch=`) and ready call data.

    The call pushes the claim to the payout address and first opens the epoch's claims, should nobody have done so.
    """

    header: Header
    account: AddressHex
    entries: list[Uint256]
    index: Uint32
    path: list[HashHex]
    to: AddressHex
    call_data: BytesHex

    def proof(self) -> ClaimProof:
        """Return the claim proof."""
        leaf = ClaimLeaf(Address(self.account), tuple(self.entries))
        return ClaimProof(
            self.header.header(),
            leaf,
            self.index,
            tuple(map(Hash, self.path)),
        )


def _pool_explanation(pool: explanation.PoolExplanation) -> PoolExplanation:
    state, terms = pool.state, pool.state.pool.terms
    return PoolExplanation(
        pool_id=pool.pool_id,
        sessions=pool.own.sessions,
        bytes_delivered=pool.own.bytes_delivered,
        bytes_on_time=pool.own.bytes_on_time,
        weight=pool.own.weight,
        pool_weight=state.weight,
        price_per_gb=terms.price_per_gb,
        worth=state.worth,
        epoch_budget=terms.epoch_budget,
        funded=state.pool.funded,
        previous_cumulative_spend=state.previous_cumulative_spend,
        funds_left=state.funds_left,
        spend=state.spend,
        bound_by=state.bound_by,
        reward=pool.reward,
    )


class Problem(BaseModel):
    """RFC 9457 problem details. `type` is `urn:streamrp2p:problem:<slug>`; `detail` says what to do.

    `expectedNonce` comes with `wrong-nonce` alone: the nonce that the node's next registration must have.
    """

    model_config = ConfigDict(populate_by_name=True)

    type: str
    title: str
    status: int
    detail: str
    expected_nonce: Annotated[Uint64 | None, Field(alias="expectedNonce")] = None

    def dump_json(self) -> str:
        """Return the JSON text, ASCII alone: what a client sent, and this repeats, may not be valid Unicode."""
        return self.model_dump_json(by_alias=True, exclude_none=True, ensure_ascii=True)


# --- node ------------------------------------------------------------------------------------


class NodeIdentity(Wire):
    """Wire form of `reachability.NodeIdentity`."""

    node: AddressHex
    nonce: HashHex
    signed_at: Uint64

    def message(self) -> reachability.NodeIdentity:
        """Return the signed message."""
        return reachability.NodeIdentity(**dict(self))


class SignedIdentity(Wire):
    """GET /v1/identity?nonce=0x… of a node: who answers here, by its key and clock."""

    identity: NodeIdentity
    signature: SignatureHex


class OpenSession(Wire):
    """POST /v1/sessions of a node: a viewer hands in its ticket."""

    ticket: SessionTicket
    signature: SignatureHex


class OpenedSession(Wire):
    """Answer of a node: how many segment bytes may stay unpaid."""

    session_id: HashHex
    credit_bytes: Uint64


class SignedReceipt(Wire):
    """POST /v1/receipts of a node."""

    receipt: Receipt
    signature: SignatureHex

    @classmethod
    def of(cls, receipt: typed_data.Receipt, signature: Signature) -> "SignedReceipt":
        """Return the wire form of a signed receipt."""
        form = {name: getattr(receipt, name) for name in Receipt.model_fields}
        return cls(receipt=Receipt.model_validate(form), signature=signature)


class RelayPath(Wire):
    """GET /v1/streams/{poolId}/path of a node: the signed `typed_data.RelayPath` of the pool in the URL."""

    path: Annotated[list[AddressHex], Field(min_length=1, max_length=MAX_RELAYS)]
    signed_at: Uint64
    signature: SignatureHex

    def message(self, pool_id: int) -> typed_data.RelayPath:
        """Return the signed message."""
        return typed_data.RelayPath(pool_id, tuple(map(Address, self.path)), self.signed_at)


# --- ticket signer -----------------------------------------------------------------------------


class SignerFacts(Wire):
    """GET /v1/signer: whose key signs here, on which chain, the tickets of which pools, for whom."""

    ticket_signer: AddressHex
    chain_id: Uint64
    epoch_book: AddressHex
    pools: list[Uint32]
    askers: list[AddressHex]


class TicketAsk(Wire):
    """POST /v1/tickets: asks for a ticket's signature, with the asker's signature of a `ticket_signing.TicketRequest`.

    Asked again with the same ticket it gets the same answer, which costs no budget.
    """

    chain_id: Uint64
    epoch_book: AddressHex
    ticket: SessionTicket
    asked_at: Uint64
    signature: SignatureHex

    @classmethod
    def of(
        cls,
        ticket: typed_data.SessionTicket,
        asked_at: int,
        domain: typed_data.Domain,
        sign: Callable[[typed_data.Message, typed_data.Domain], Signature],
    ) -> "TicketAsk":
        """Ask for a ticket in a domain; `sign` signs as the asker."""
        return cls(
            chain_id=domain.chain_id,
            epoch_book=domain.epoch_book,
            ticket=SessionTicket.of(ticket),
            asked_at=asked_at,
            signature=sign(TicketRequest(ticket.session_id, asked_at), domain),
        )


class SignedTicket(Wire):
    """Answer to POST /v1/tickets: the ticket signer's signature of the ticket."""

    session_id: HashHex
    signature: SignatureHex


class SignInNonce(Wire):
    """Answer to POST /v1/sign-in/nonce: for one message of EIP-4361, signed before `expires_at`."""

    nonce: str
    expires_at: Uint64


class SignInRequest(Wire):
    """POST /v1/sign-in: a message of EIP-4361 and its account's signature (a contract's may have any length)."""

    message: Annotated[str, Field(max_length=4096)]
    signature: BytesHex


class SignInToken(Wire):
    """Answer to POST /v1/sign-in: to be sent as `Authorization: Bearer TOKEN` until `expires_at`."""

    token: str
    account: AddressHex
    expires_at: Uint64


class EpochRefusals(Wire):
    """How many records a node was refused in an epoch; `explanation` is the path that shows each."""

    epoch: Uint64
    count: int
    explanation: str


class OwnNode(Wire):
    """A node as its owner sees it. `checked_at` is the last health check, `unreachable_at` a look that found nobody."""

    node: AddressHex
    payout: AddressHex
    endpoint: str
    is_healthy: bool
    open_sessions: int
    checked_at: Uint64 | None
    unreachable_at: Uint64 | None
    suspended_at: Uint64 | None
    refusals: list[EpochRefusals]


class NodeLoad(Wire):
    """How many tickets of one pool are open at a node."""

    node: AddressHex
    open_sessions: int


class OwnPool(Wire):
    """A pool as its owner sees it: which nodes serve its viewers now."""

    pool_id: Uint32
    nodes: list[NodeLoad]


class Me(Wire):
    """GET /v1/me: the signed-in account, until when it is, its nodes and its pools."""

    account: AddressHex
    expires_at: Uint64
    nodes: list[OwnNode]
    pools: list[OwnPool]


SESSION_HEADER = "StreamrP2P-Session"
"""Names the session in requests for playlists and segments."""

DRAINING_HEADER = "StreamrP2P-Draining"
"""`1` on a playlist: the node will soon serve no more, and a viewer should move to another."""
