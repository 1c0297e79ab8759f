"""The EIP-712 messages of docs/protocol.md section 3: their types, struct hashes and digests."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property, partial
from operator import attrgetter
from typing import ClassVar

from streamrp2p.errors import MalformedError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, SessionId, fixed, uint

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
DOMAIN_NAME = "StreamrP2P"
DOMAIN_VERSION = "1"


@dataclass(frozen=True)
class Domain:
    """The signing domain: the chain and its `EpochBook`."""

    chain_id: int
    epoch_book: Address

    @cached_property
    def separator(self) -> Hash:
        """The EIP-712 domain separator."""
        return keccak(
            keccak(DOMAIN_TYPE.encode())
            + keccak(DOMAIN_NAME.encode())
            + keccak(DOMAIN_VERSION.encode())
            + _uint_word(256, "chainId", self.chain_id)
            + _address_word("verifyingContract", self.epoch_book)
        )

    def digest(self, struct_hash: Hash) -> Hash:
        """Return what is signed for a message: `keccak(0x1901 ‖ domain separator ‖ struct hash)`."""
        return keccak(b"\x19\x01" + self.separator + struct_hash)


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all signed messages. `SCHEMA` lists `(solidity type, name)` in the order of the dataclass fields."""

    NAME: ClassVar[str]
    SCHEMA: ClassVar[tuple[tuple[str, str], ...]]

    @classmethod
    def type_string(cls) -> str:
        """Return the EIP-712 encoded type, such as `Receipt(bytes32 sessionId,...)`."""
        return f"{cls.NAME}({','.join(f'{kind} {name}' for kind, name in cls.SCHEMA)})"

    @classmethod
    def type_hash(cls) -> Hash:
        """Return the Keccak-256 of the type string."""
        return _plan(cls).type_hash

    def struct_hash(self) -> Hash:
        """Return the EIP-712 struct hash; raises MalformedError for a field out of its type's range."""
        plan = _plan(type(self))
        words = [encode(value) for encode, value in zip(plan.words, plan.values(self), strict=True)]
        return keccak(plan.type_hash + b"".join(words))

    def digest(self, domain: Domain) -> Hash:
        """Return what is signed in a domain."""
        return domain.digest(self.struct_hash())


@dataclass(frozen=True, slots=True)
class SessionTicket(Message):
    """Admits one viewer to one node of one pool for one epoch. Signed by the pool's ticket signer."""

    NAME = "SessionTicket"
    SCHEMA = (
        ("uint32", "poolId"),
        ("uint64", "epoch"),
        ("address", "node"),
        ("address", "viewer"),
        ("uint64", "maxBytes"),
        ("uint64", "issuedAt"),
        ("uint64", "expiresAt"),
        ("uint256", "nonce"),
    )
    pool_id: int
    epoch: int
    node: Address
    viewer: Address
    max_bytes: int
    issued_at: int
    expires_at: int
    nonce: int

    @property
    def session_id(self) -> SessionId:
        """The session's name: this ticket's struct hash."""
        return SessionId(self.struct_hash())


@dataclass(frozen=True, slots=True)
class Receipt(Message):
    """What a viewer got from a node so far in a session, cumulative. Signed by the viewer's throw-away key."""

    NAME = "Receipt"
    SCHEMA = (
        ("bytes32", "sessionId"),
        ("uint32", "sequence"),
        ("uint64", "bytesDelivered"),
        ("uint64", "bytesOnTime"),
        ("uint64", "mediaSequence"),
        ("uint64", "signedAt"),
    )
    session_id: SessionId
    sequence: int
    bytes_delivered: int
    bytes_on_time: int
    media_sequence: int
    signed_at: int


@dataclass(frozen=True, slots=True)
class NodeRegistration(Message):
    """Names a node's payout address and public endpoint. Signed by the node."""

    NAME = "NodeRegistration"
    SCHEMA = (
        ("address", "node"),
        ("address", "payout"),
        ("string", "endpoint"),
        ("uint64", "nonce"),
        ("uint64", "deadline"),
    )
    node: Address
    payout: Address
    endpoint: str
    nonce: int
    deadline: int


@dataclass(frozen=True, slots=True)
class ReceiptSubmission(Message):
    """A batch of session records that a node hands in. Signed by the node."""

    NAME = "ReceiptSubmission"
    SCHEMA = (
        ("address", "node"),
        ("uint64", "epoch"),
        ("uint64", "batchNumber"),
        ("bytes32", "batchRoot"),
        ("uint32", "count"),
    )
    node: Address
    epoch: int
    batch_number: int
    batch_root: Hash
    count: int


@dataclass(frozen=True, slots=True)
class BatchAck(Message):
    """The poster's promise that every record under `accepted_root` will be paid. Signed by the poster."""

    NAME = "BatchAck"
    SCHEMA = (
        ("address", "node"),
        ("uint64", "epoch"),
        ("uint64", "batchNumber"),
        ("bytes32", "acceptedRoot"),
        ("uint32", "accepted"),
        ("uint64", "receivedAt"),
    )
    node: Address
    epoch: int
    batch_number: int
    accepted_root: Hash
    accepted: int
    received_at: int


@dataclass(frozen=True, slots=True)
class Rejection(Message):
    """Why a record was refused. Signed by the poster."""

    NAME = "Rejection"
    SCHEMA = (
        ("bytes32", "sessionId"),
        ("uint32", "sequence"),
        ("uint16", "code"),
        ("uint64", "receivedAt"),
    )
    session_id: SessionId
    sequence: int
    code: int
    received_at: int


@dataclass(frozen=True, slots=True)
class ClaimRedirect(Message):
    """Directs an account's claim of one epoch to another address. Signed by the account."""

    NAME = "ClaimRedirect"
    SCHEMA = (
        ("address", "account"),
        ("address", "to"),
        ("uint64", "epoch"),
        ("uint64", "deadline"),
    )
    account: Address
    to: Address
    epoch: int
    deadline: int


@dataclass(frozen=True, slots=True)
class Playlist(Message):
    """Vouches for the bytes of a live playlist (section 10). Signed by the origin's key."""

    NAME = "Playlist"
    SCHEMA = (
        ("uint32", "poolId"),
        ("uint64", "mediaSequence"),
        ("bytes32", "contentHash"),
        ("uint64", "publishedAt"),
    )
    pool_id: int
    media_sequence: int
    content_hash: Hash
    published_at: int


@dataclass(frozen=True, slots=True)
class RelayPath(Message):
    """The nodes that a pool's stream comes through (section 10), from the origin's side on. Signed by the last one."""

    NAME = "RelayPath"
    SCHEMA = (
        ("uint32", "poolId"),
        ("address[]", "path"),
        ("uint64", "signedAt"),
    )
    pool_id: int
    path: tuple[Address, ...]
    signed_at: int


MESSAGES: tuple[type[Message], ...] = (
    SessionTicket,
    Receipt,
    NodeRegistration,
    ReceiptSubmission,
    BatchAck,
    Rejection,
    ClaimRedirect,
    Playlist,
    RelayPath,
)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a message type is hashed, worked out once: a session is hashed millions of times."""

    type_hash: Hash
    values: Callable[[Message], tuple[object, ...]]
    words: tuple[Callable[[object], bytes], ...]


_PLANS: dict[type[Message], _Plan] = {}


def _plan(message: type[Message]) -> _Plan:
    known = _PLANS.get(message)
    if known is None:
        known = _PLANS[message] = _Plan(
            keccak(message.type_string().encode()),
            attrgetter(*(field.name for field in fields(message))),
            tuple(_word_encoder(kind, name) for kind, name in message.SCHEMA),
        )
    return known


def _word_encoder(kind: str, name: str) -> Callable[[object], bytes]:
    if kind == "address":
        return partial(_address_word, name)
    if kind == "address[]":
        return partial(_addresses_word, name)
    if kind == "bytes32":
        return partial(_bytes32_word, name)
    if kind == "string":
        return partial(_string_word, name)
    return partial(_uint_word, int(kind.removeprefix("uint")), name)


def _uint_word(bits: int, name: str, value: object) -> bytes:
    return uint(value, bits, name).to_bytes(32)


def _address_word(name: str, value: object) -> bytes:
    return bytes(12) + fixed(value, 20, name)


def _addresses_word(name: str, value: object) -> bytes:
    if not isinstance(value, tuple):
        raise MalformedError(f"{name} must be a tuple of addresses, got {type(value).__name__}")
    return keccak(b"".join(_address_word(name, address) for address in value))


def _bytes32_word(name: str, value: object) -> bytes:
    return fixed(value, 32, name)


def _string_word(name: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise MalformedError(f"{name} must be text, got {type(value).__name__}")
    try:
        return keccak(value.encode())
    except UnicodeEncodeError as error:
        raise MalformedError(f"{name} must be text that UTF-8 can encode") from error
