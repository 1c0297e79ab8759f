"""One session's receipts: cumulative counters, rising sequences, signatures. Pure; it is told the time."""

from streamrp2p.epoch_clock import EpochClock
from streamrp2p.errors import MalformedError
from streamrp2p.numbers import SessionId, Signature
from streamrp2p.signatures import sign
from streamrp2p.typed_data import Domain, Receipt, SessionTicket
from streamrp2p.verify import seconds_until_allowed


class ReceiptSession:
    """What this viewer owes one node under one ticket. `viewer_key` is the throw-away key that the ticket names."""

    def __init__(self, ticket: SessionTicket, domain: Domain, viewer_key: bytes) -> None:
        self.ticket = ticket
        self.session_id: SessionId = ticket.session_id
        self._domain = domain
        self._viewer_key = viewer_key
        self.bytes_delivered = 0
        self.bytes_on_time = 0
        self.receipts = 0
        """How many were signed; the newest one's sequence."""
        self._media_sequence = 0
        self._signed_at = 0

    def has_room(self, length_bytes: int) -> bool:
        """Tell whether the ticket's credit covers so many more bytes."""
        return self.bytes_delivered + length_bytes <= self.ticket.max_bytes

    def seconds_until(
        self, length_bytes: int, now: int, max_bytes_per_second: int, slack_seconds: int
    ) -> int:
        """Return how long to wait before so many more bytes are within the pool's rate, 0 if they are.

        A viewer that catches up too fast would have its relay's record rejected (docs/protocol.md section 4, code 9).
        """
        total = self.bytes_delivered + length_bytes
        return seconds_until_allowed(self.ticket, total, now, max_bytes_per_second, slack_seconds)

    def count(self, length_bytes: int, media_sequence: int, *, is_on_time: bool) -> None:
        """Count a whole object of that segment, whose hash matched; raises MalformedError beyond the credit."""
        if not self.has_room(length_bytes):
            raise MalformedError(
                f"{length_bytes} more bytes exceed the ticket's {self.ticket.max_bytes}: renew it first"
            )
        self.bytes_delivered += length_bytes
        self.bytes_on_time += length_bytes if is_on_time else 0
        self._media_sequence = max(self._media_sequence, media_sequence)

    def sign(self, now: int) -> tuple[Receipt, Signature]:
        """Sign for all that was counted so far. `now` is the coordinator's time in Unix seconds."""
        # A clock that is set back must not make a newer receipt look older.
        self._signed_at = max(self._signed_at, now)
        self.receipts += 1
        receipt = Receipt(
            self.session_id,
            self.receipts,
            self.bytes_delivered,
            self.bytes_on_time,
            self._media_sequence,
            self._signed_at,
        )
        return receipt, sign(receipt.digest(self._domain), self._viewer_key)


def renew_at(ticket: SessionTicket, clock: EpochClock, margin_seconds: int) -> int:
    """Return when the next ticket is due, in the coordinator's Unix seconds.

    One that lasts to the end of its epoch cannot be renewed before: the next one would be of the same epoch. One that
    ends earlier is renewed `margin_seconds` before, or at half its life if that is short.
    """
    epoch_end = clock.end(ticket.epoch)
    if ticket.expires_at >= epoch_end:
        return epoch_end
    half = (ticket.issued_at + ticket.expires_at) // 2
    return max(ticket.expires_at - margin_seconds, half)


class CoordinatorTime:
    """The coordinator's clock, carried on by a monotonic one: a viewer's wall clock may be wrong or jump. Seconds."""

    _JUMP_SECONDS = 2.0

    def __init__(self, time: int, now: float) -> None:
        self._lead = time - now

    def observe(self, time: int, now: float) -> None:
        """Take a time that the coordinator wrote just before `now`."""
        lead = time - now
        # Whole seconds, and some of them old when they arrive, say too little but never too much.
        is_jump = abs(lead - self._lead) > self._JUMP_SECONDS
        self._lead = lead if is_jump else max(self._lead, lead)

    def at(self, now: float) -> int:
        """Return the coordinator's time, in whole Unix seconds, that is not ahead of the true one."""
        return int(self._lead + now)
