"""What a journal's frames say: a session was opened, its account moved, a receipt for it came."""

from dataclasses import dataclass
from struct import Struct

from streamrp2p.errors import MalformedError
from streamrp2p.numbers import SessionId, Signature
from streamrp2p.receipt import RECORD_LENGTH, SessionRecord
from streamrp2p.typed_data import Receipt, SessionTicket
from streamrp2p_node.credit import Credit
from streamrp2p_node.frames import Frame

OPENED, ACCOUNT, RECEIPT = 1, 2, 3

_ACCOUNT = Struct(">32sQQ")
_TICKET_BYTES = 173
"""A session record's ticket and its signature: docs/protocol.md section 3."""
_NO_RECEIPT = bytes(RECORD_LENGTH - _TICKET_BYTES)
_NO_SIGNATURE = Signature(bytes(65))


@dataclass(frozen=True, slots=True)
class Opened:
    """A session was opened with this ticket."""

    ticket: SessionTicket
    ticket_signature: Signature

    def frame(self) -> Frame:
        """Return the entry's frame: the session record's first 173 bytes."""
        empty = Receipt(self.ticket.session_id, 0, 0, 0, 0, 0)
        record = SessionRecord(self.ticket, self.ticket_signature, empty, _NO_SIGNATURE)
        return Frame(OPENED, record.encode()[:_TICKET_BYTES])


@dataclass(frozen=True, slots=True)
class Account:
    """A session's account stands at `credit`."""

    session_id: SessionId
    credit: Credit

    def frame(self) -> Frame:
        """Return the entry's frame."""
        served, covered = self.credit.served_bytes, self.credit.covered_bytes
        return Frame(ACCOUNT, _ACCOUNT.pack(self.session_id, served, covered))


@dataclass(frozen=True, slots=True)
class Received:
    """A receipt came, whose signature was checked."""

    record: SessionRecord

    def frame(self) -> Frame:
        """Return the entry's frame: the session record."""
        return Frame(RECEIPT, self.record.encode())


Entry = Opened | Account | Received


def entry_of(frame: Frame) -> Entry:
    """Read a frame; raises MalformedError for one that this version does not know."""
    if frame.kind == OPENED and len(frame.payload) == _TICKET_BYTES:
        record = SessionRecord.decode(frame.payload + _NO_RECEIPT)
        return Opened(record.ticket, record.ticket_signature)
    if frame.kind == ACCOUNT and len(frame.payload) == _ACCOUNT.size:
        session_id, served, covered = _ACCOUNT.unpack(frame.payload)
        return Account(session_id, Credit(served, min(covered, served)))
    if frame.kind == RECEIPT:
        return Received(SessionRecord.decode(frame.payload))
    raise MalformedError(
        f"the journal has an entry of kind {frame.kind} with {len(frame.payload)} bytes; "
        "a newer version of streamrp2p wrote it: install that one"
    )
