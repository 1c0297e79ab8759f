"""The epoch header, whose hash is all that the chain stores. Source: docs/protocol.md section 6."""

from dataclasses import dataclass
from struct import Struct

from streamrp2p.keccak import keccak
from streamrp2p.numbers import Hash, fixed, uint

_HEADER = Struct(">Q32s32sI16s32sI32s")


@dataclass(frozen=True, slots=True)
class EpochHeader:
    """One epoch's commitments."""

    LENGTH = _HEADER.size
    epoch: int
    parent: Hash
    pools_root: Hash
    pool_count: int
    weight: int
    claims_root: Hash
    claim_count: int
    data_hash: Hash

    def encode(self) -> bytes:
        """Return the 160-byte record; raises MalformedError when a field is out of range."""
        return _HEADER.pack(
            uint(self.epoch, 64, "epoch"),
            fixed(self.parent, 32, "parent"),
            fixed(self.pools_root, 32, "poolsRoot"),
            uint(self.pool_count, 32, "poolCount"),
            uint(self.weight, 128, "weight").to_bytes(16),
            fixed(self.claims_root, 32, "claimsRoot"),
            uint(self.claim_count, 32, "claimCount"),
            fixed(self.data_hash, 32, "dataHash"),
        )

    @classmethod
    def decode(cls, data: bytes) -> "EpochHeader":
        """Read a 160-byte record; raises MalformedError on any other length."""
        (
            epoch,
            parent,
            pools_root,
            pool_count,
            weight,
            claims_root,
            claim_count,
            data_hash,
        ) = _HEADER.unpack(fixed(data, cls.LENGTH, "EpochHeader"))
        return cls(
            epoch,
            parent,
            pools_root,
            pool_count,
            int.from_bytes(weight),
            claims_root,
            claim_count,
            data_hash,
        )

    def hash(self) -> Hash:
        """Return the header hash: `keccak(header)`."""
        return keccak(self.encode())
