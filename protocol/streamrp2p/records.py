"""The fixed-width records of docs/protocol.md: the same bytes are hashed, submitted and published."""

from dataclasses import dataclass
from struct import Struct

from streamrp2p.errors import SignatureError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, SessionId, Signature, fixed, uint
from streamrp2p.signatures import recover
from streamrp2p.typed_data import Domain, Rejection

_NODE_ROW = Struct(">20s32sI16s16s")
_POOL_ROW = Struct(">I32sI16s16s16s")
_REJECTION = Struct(">32sIHQ65s")


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node's result in one pool: weight in weighted bytes, reward in base units."""

    LENGTH = _NODE_ROW.size
    node: Address
    sessions_root: Hash
    session_count: int
    weight: int
    reward: int

    def encode(self) -> bytes:
        """Return the 88-byte record; raises MalformedError when a field is out of range."""
        return _NODE_ROW.pack(
            fixed(self.node, 20, "node"),
            fixed(self.sessions_root, 32, "sessionsRoot"),
            uint(self.session_count, 32, "sessionCount"),
            _u128(self.weight, "weight"),
            _u128(self.reward, "reward"),
        )

    @classmethod
    def decode(cls, data: bytes) -> "NodeRow":
        """Read an 88-byte record; raises MalformedError on any other length."""
        node, root, count, weight, reward = _NODE_ROW.unpack(fixed(data, cls.LENGTH, "NodeRow"))
        return cls(node, root, count, int.from_bytes(weight), int.from_bytes(reward))

    def digest(self) -> Hash:
        """Return the leaf digest of the nodes tree."""
        return keccak(self.encode())


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One open pool's result in an epoch: weight in weighted bytes, spends in base units."""

    LENGTH = _POOL_ROW.size
    pool_id: int
    nodes_root: Hash
    node_count: int
    weight: int
    spend: int
    cumulative_spend: int

    def encode(self) -> bytes:
        """Return the 88-byte record; raises MalformedError when a field is out of range."""
        return _POOL_ROW.pack(
            uint(self.pool_id, 32, "poolId"),
            fixed(self.nodes_root, 32, "nodesRoot"),
            uint(self.node_count, 32, "nodeCount"),
            _u128(self.weight, "weight"),
            _u128(self.spend, "spend"),
            _u128(self.cumulative_spend, "cumulativeSpend"),
        )

    @classmethod
    def decode(cls, data: bytes) -> "PoolRow":
        """Read an 88-byte record; raises MalformedError on any other length."""
        pool_id, root, count, weight, spend, cumulative = _POOL_ROW.unpack(
            fixed(data, cls.LENGTH, "PoolRow")
        )
        return cls(
            pool_id,
            root,
            count,
            int.from_bytes(weight),
            int.from_bytes(spend),
            int.from_bytes(cumulative),
        )

    def digest(self) -> Hash:
        """Return the leaf digest of the pools tree."""
        return keccak(self.encode())


@dataclass(frozen=True, slots=True, order=True)
class SignedRejection:
    """A refused record with the poster's signature (section 9). Orders as its bytes do."""

    LENGTH = _REJECTION.size
    session_id: SessionId
    sequence: int
    code: int
    received_at: int
    signature: Signature

    def encode(self) -> bytes:
        """Return the 111-byte record; raises MalformedError when a field is out of range."""
        return _REJECTION.pack(
            fixed(self.session_id, 32, "sessionId"),
            uint(self.sequence, 32, "sequence"),
            uint(self.code, 16, "code"),
            uint(self.received_at, 64, "receivedAt"),
            fixed(self.signature, 65, "signature"),
        )

    def is_signed_by(self, poster: Address, domain: Domain) -> bool:
        """Tell whether `poster` signed this rejection."""
        message = Rejection(self.session_id, self.sequence, self.code, self.received_at)
        try:
            return recover(message.digest(domain), self.signature) == poster
        except SignatureError:
            return False

    @classmethod
    def decode(cls, data: bytes) -> "SignedRejection":
        """Read a 111-byte record; raises MalformedError on any other length."""
        return cls(*_REJECTION.unpack(fixed(data, cls.LENGTH, "Rejection")))


def _u128(value: int, name: str) -> bytes:
    return uint(value, 128, name).to_bytes(16)
