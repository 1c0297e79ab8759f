"""The start of the way: a receipt with its ticket and both signatures. Source: docs/protocol.md section 3."""

from dataclasses import dataclass
from functools import cached_property
from struct import Struct

from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, SessionId, Signature, fixed, uint
from streamrp2p.typed_data import Receipt, SessionTicket

_RECORD = Struct(">IQ20s20sQQQ32s65sIQQQQ65s")
RECORD_LENGTH = _RECORD.size
"""274 bytes."""


def weight_of(bytes_delivered: int, bytes_on_time: int) -> int:
    """Return the receipt's weight: on-time bytes count in full, late bytes half, floored.

    Linear in bytes up to the flooring of one byte, so that splitting one node into many earns nothing.
    """
    return bytes_on_time + (bytes_delivered - bytes_on_time) // 2


@dataclass(frozen=True)
class SessionRecord:
    """A ticket, its signature, a receipt of that session and its signature: nothing in it is verified yet."""

    ticket: SessionTicket
    ticket_signature: Signature
    receipt: Receipt
    receipt_signature: Signature

    def encode(self) -> bytes:
        """Return the 274-byte record; raises MalformedError when a field is out of range."""
        return self._encoded

    @classmethod
    def decode(cls, data: bytes) -> "SessionRecord":
        """Read a 274-byte record; raises MalformedError on any other length. Every such length decodes."""
        (pool_id, epoch, node, viewer, max_bytes, issued_at, expires_at, nonce, ticket_signature,
         sequence, delivered, on_time, media_sequence, signed_at, receipt_signature) = _RECORD.unpack(
            fixed(data, RECORD_LENGTH, "session record")
        )  # fmt: skip
        ticket = SessionTicket(
            pool_id,
            epoch,
            Address(node),
            Address(viewer),
            max_bytes,
            issued_at,
            expires_at,
            int.from_bytes(nonce),
        )
        session_id = ticket.session_id
        receipt = Receipt(session_id, sequence, delivered, on_time, media_sequence, signed_at)
        record = cls(ticket, Signature(ticket_signature), receipt, Signature(receipt_signature))
        # Both are known already; an epoch has millions of records.
        vars(record).update(session_id=session_id, _encoded=data)
        return record

    @cached_property
    def session_id(self) -> SessionId:
        """The ticket's struct hash, the key of the sessions tree."""
        return self.ticket.session_id

    @cached_property
    def _encoded(self) -> bytes:
        ticket, receipt = self.ticket, self.receipt
        return _RECORD.pack(
            uint(ticket.pool_id, 32, "poolId"),
            uint(ticket.epoch, 64, "epoch"),
            fixed(ticket.node, 20, "node"),
            fixed(ticket.viewer, 20, "viewer"),
            uint(ticket.max_bytes, 64, "maxBytes"),
            uint(ticket.issued_at, 64, "issuedAt"),
            uint(ticket.expires_at, 64, "expiresAt"),
            uint(ticket.nonce, 256, "nonce").to_bytes(32),
            fixed(self.ticket_signature, 65, "ticketSignature"),
            uint(receipt.sequence, 32, "sequence"),
            uint(receipt.bytes_delivered, 64, "bytesDelivered"),
            uint(receipt.bytes_on_time, 64, "bytesOnTime"),
            uint(receipt.media_sequence, 64, "mediaSequence"),
            uint(receipt.signed_at, 64, "signedAt"),
            fixed(self.receipt_signature, 65, "receiptSignature"),
        )

    @property
    def weight(self) -> int:
        """Weighted bytes of the receipt."""
        return weight_of(self.receipt.bytes_delivered, self.receipt.bytes_on_time)


def batch_leaf(record: bytes) -> Hash:
    """Return the plain tree's leaf of a session record: `keccak(keccak(record))`."""
    return keccak(keccak(record))
