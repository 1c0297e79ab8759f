"""What a node knows of one session, as a value: its ticket, its account, its receipts and what became of them."""

from dataclasses import dataclass, field, replace

from streamrp2p.numbers import SessionId, Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.typed_data import SessionTicket
from streamrp2p_node.credit import Credit
from streamrp2p_node.entries import Account, Entry, Opened, Received


@dataclass(frozen=True, slots=True)
class Session:
    """One session of this node."""

    ticket: SessionTicket
    ticket_signature: Signature
    session_id: SessionId
    credit: Credit = field(default_factory=Credit)
    newest: SessionRecord | None = None
    fallback: SessionRecord | None = None
    """The newest receipt that claims no more than was served when it came.

    A viewer's last receipt may over-claim and be rejected. What it signed before is still earned.
    """
    acknowledged_sequence: int = -1
    """Of the newest receipt that the coordinator promised to pay; -1 for none."""
    rejections: tuple[tuple[int, int], ...] = ()
    """The `(sequence, code)` of each signed rejection."""

    @classmethod
    def opened(cls, entry: Opened) -> "Session":
        """Return the session that a ticket opens."""
        return cls(entry.ticket, entry.ticket_signature, entry.ticket.session_id)

    @property
    def is_stopped(self) -> bool:
        """Tell whether the coordinator rejected a receipt: the node serves this viewer no more."""
        return bool(self.rejections)

    def with_account(self, credit: Credit) -> "Session":
        """Return the session with its account set."""
        # Of each request for an object: `replace` would take three times as long.
        return Session(
            self.ticket,
            self.ticket_signature,
            self.session_id,
            credit,
            self.newest,
            self.fallback,
            self.acknowledged_sequence,
            self.rejections,
        )

    def with_receipt(self, record: SessionRecord) -> "Session":
        """Return the session after a receipt, in whatever order receipts arrive: the highest sequence stands."""
        newest, fallback = self.newest, self.fallback
        if newest is None or record.receipt.sequence > newest.receipt.sequence:
            newest = record
        if self.is_plausible(record) and (
            fallback is None or record.receipt.sequence > fallback.receipt.sequence
        ):
            fallback = record
        credit = self.credit.covered(record.receipt.bytes_delivered)
        return replace(self, newest=newest, fallback=fallback, credit=credit)

    def with_acknowledged(self, sequence: int) -> "Session":
        """Return the session after the coordinator acknowledged a receipt."""
        return replace(self, acknowledged_sequence=max(self.acknowledged_sequence, sequence))

    def with_rejection(self, sequence: int, code: int) -> "Session":
        """Return the session after the coordinator rejected a receipt."""
        known = (sequence, code) in self.rejections
        return self if known else replace(self, rejections=(*self.rejections, (sequence, code)))

    def is_plausible(self, record: SessionRecord) -> bool:
        """Tell whether a receipt claims no more than this node served and the ticket allows."""
        most = min(self.credit.served_bytes, self.ticket.max_bytes)
        return record.receipt.bytes_delivered <= most

    def due(self) -> SessionRecord | None:
        """Return the receipt to hand in next: the best one that is neither acknowledged nor rejected, or None."""
        rejected = {sequence for sequence, _ in self.rejections}
        for record in (self.newest, self.fallback):
            if record is None or record.weight == 0:
                continue
            sequence = record.receipt.sequence
            if sequence > self.acknowledged_sequence and sequence not in rejected:
                return record
        return None

    def entries(self) -> list[Entry]:
        """Return the shortest journal that leads to this state (acknowledgements are kept with their batches).

        The account comes last: the receipts before it must not cover more on replay than they did at first.
        """
        receipts = [record for record in (self.fallback, self.newest) if record is not None]
        if self.fallback == self.newest:
            receipts = receipts[:1]
        return [
            Opened(self.ticket, self.ticket_signature),
            Account(self.session_id, self.credit),
            *map(Received, receipts),
            Account(self.session_id, self.credit),
        ]
