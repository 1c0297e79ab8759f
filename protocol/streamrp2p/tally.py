"""What sessions add up to, as settlement counts them. Source: docs/protocol.md sections 3 and 5."""

from dataclasses import dataclass

from streamrp2p.receipt import SessionRecord


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of sessions, their bytes, and the sum of their weights, in weighted bytes.

    Sums of tallies are exact, so a total may be kept by adding what comes and taking off what it replaces.
    """

    sessions: int = 0
    bytes_delivered: int = 0
    bytes_on_time: int = 0
    weight: int = 0

    @classmethod
    def of(cls, record: SessionRecord) -> "Tally":
        """Count one session; one of weight 0 is left out of the epoch, and so counts nothing."""
        if record.weight == 0:
            return cls()
        receipt = record.receipt
        return cls(1, receipt.bytes_delivered, receipt.bytes_on_time, record.weight)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.sessions + other.sessions,
            self.bytes_delivered + other.bytes_delivered,
            self.bytes_on_time + other.bytes_on_time,
            self.weight + other.weight,
        )

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(
            self.sessions - other.sessions,
            self.bytes_delivered - other.bytes_delivered,
            self.bytes_on_time - other.bytes_on_time,
            self.weight - other.weight,
        )

    @property
    def bytes_late(self) -> int:
        """Bytes that were delivered, but not on time: each session's count half, rounded down."""
        return self.bytes_delivered - self.bytes_on_time

    @property
    def rounded_sessions(self) -> int:
        """How many sessions have an odd number of late bytes, and so lost half a byte to the rounding."""
        return self.bytes_late - 2 * (self.weight - self.bytes_on_time)
