"""How much a node gives on trust: pure accounting of one session's served and covered bytes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Credit:
    """Segment bytes of one session; always `0 <= covered_bytes <= served_bytes`.

    Bytes count as served before they are sent, so that a crash can only make a node ask for too much and never for
    too little.
    """

    served_bytes: int = 0
    covered_bytes: int = 0
    """Served bytes that a receipt stands for."""

    @property
    def unpaid_bytes(self) -> int:
        """Return what was served and no receipt covers yet."""
        return self.served_bytes - self.covered_bytes

    def allows(self, length_bytes: int, window_bytes: int) -> bool:
        """Tell whether `length_bytes` more may be served. A session that owes nothing always gets one segment.

        Without that exception a segment larger than the window could never be served at all.
        """
        return self.unpaid_bytes == 0 or self.unpaid_bytes + length_bytes <= window_bytes

    def served(self, length_bytes: int) -> "Credit":
        """Return the account after `length_bytes` more are handed to the network."""
        return Credit(self.served_bytes + length_bytes, self.covered_bytes)

    def returned(self, length_bytes: int) -> "Credit":
        """Return the account after `length_bytes` counted as served did not leave: the viewer hung up."""
        return Credit(max(self.served_bytes - length_bytes, self.covered_bytes), self.covered_bytes)

    def covered(self, claimed_bytes: int) -> "Credit":
        """Return the account after a receipt for `claimed_bytes` in all.

        A claim beyond what was served covers what was served and no more: it buys nothing in advance.
        """
        return Credit(
            self.served_bytes, max(self.covered_bytes, min(claimed_bytes, self.served_bytes))
        )
