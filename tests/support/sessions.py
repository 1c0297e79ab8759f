"""Session records with real signatures, for tests that need some without a stream."""

from dataclasses import replace

from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import SignedRejection
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, Receipt, Rejection, SessionTicket
from streamrp2p.verify import Code


def known_key(number: int) -> bytes:
    """Return a private key that everybody knows: the number itself, from 1 on."""
    return (0x5EED_0000 + number).to_bytes(32)


def make_ticket(
    *,
    pool_id: int = 1,
    epoch: int = 0,
    node: Address,
    viewer_key: bytes,
    issued_at: int,
    max_bytes: int = 10**12,
    nonce: int = 0,
) -> SessionTicket:
    """Return a ticket that holds for ten minutes."""
    viewer = address_of(viewer_key)
    return SessionTicket(pool_id, epoch, node, viewer, max_bytes, issued_at, issued_at + 600, nonce)


def make_record(
    ticket: SessionTicket,
    *,
    domain: Domain,
    ticket_key: bytes,
    viewer_key: bytes,
    delivered: int,
    on_time: int | None = None,
    sequence: int = 1,
) -> SessionRecord:
    """Return a record with both signatures; all bytes on time unless told."""
    on_time = delivered if on_time is None else on_time
    receipt = Receipt(
        ticket.session_id, sequence, delivered, on_time, sequence, ticket.issued_at + 30
    )
    return SessionRecord(
        ticket,
        sign(ticket.digest(domain), ticket_key),
        receipt,
        sign(receipt.digest(domain), viewer_key),
    )


def resigned(
    record: SessionRecord, receipt: Receipt, domain: Domain, viewer_key: bytes
) -> SessionRecord:
    """Return the record with another receipt, which its viewer signed."""
    return replace(
        record, receipt=receipt, receipt_signature=sign(receipt.digest(domain), viewer_key)
    )


def make_rejection(
    record: SessionRecord, *, domain: Domain, poster_key: bytes, code: Code, received_at: int
) -> SignedRejection:
    """Return the poster's signed refusal of a record."""
    message = Rejection(record.session_id, record.receipt.sequence, code, received_at)
    signature = sign(message.digest(domain), poster_key)
    return SignedRejection(
        message.session_id, message.sequence, message.code, message.received_at, signature
    )
