"""What receipts take of the line and of the disk for each GB (10^9 bytes) that they pay for. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.costs.exchanges import Exchanges
from benchmarks.costs.report import Kind, Row
from streamrp2p.receipt import RECORD_LENGTH

UPWARDS = "all that goes up, of what is delivered"
GB = 1e9
HOUR_SECONDS = 3600
OTHER_MBIT = (1, 6)
"""Bit rates, in Mbit/s, that are computed for: receipts come by the second, whatever the bytes."""


@dataclass(frozen=True, slots=True)
class Paid:
    """Exchanges of receipts, and the bytes of objects that were delivered meanwhile."""

    exchanges: Exchanges
    delivered_bytes: int
    seconds: float

    @property
    def request_bytes_per_gb(self) -> float:
        """Bytes of requests for each GB."""
        return self.exchanges.request_bytes / self.delivered_bytes * GB

    @property
    def answer_bytes_per_gb(self) -> float:
        """Bytes of answers for each GB."""
        return self.exchanges.answer_bytes / self.delivered_bytes * GB


def receipt_rows(player: Paid, node: Paid, journal_bytes: int) -> Iterator[Row]:
    """Tell of one player's receipts to its relays, and of a node's batches to the coordinator."""
    mbit = player.delivered_bytes * 8 / player.seconds / 1e6
    up, batches = player.request_bytes_per_gb, node.request_bytes_per_gb
    each = player.exchanges.request_bytes / player.exchanges.count
    yield Row("the player gets", mbit, "Mbit/s")
    yield Row("its requests that carry a receipt", player.exchanges.count / player.seconds, "/s")
    yield Row("one of them, with its headers", each, "bytes")
    yield Row("player to relay", up, "bytes/GB")
    yield Row("relay's answers", player.answer_bytes_per_gb, "bytes/GB")
    yield Row("relay to coordinator, in batches", batches, "bytes/GB")
    yield Row("coordinator's answers", node.answer_bytes_per_gb, "bytes/GB")
    yield Row(UPWARDS, 100 * (up + batches) / GB, "%", Kind.COMPUTED)
    for other in OTHER_MBIT:
        share = 100 * (up + batches) / GB * mbit / other
        yield Row(f"the same at {other} Mbit/s", share, "%", Kind.COMPUTED)
    journal = journal_bytes / node.delivered_bytes * GB
    yield Row("journal on the relay's disk", journal, "bytes/GB")
    hour_bytes = mbit * 1e6 / 8 * HOUR_SECONDS
    yield Row("a session in the bundle", RECORD_LENGTH, "bytes", Kind.GIVEN)
    at_rest = RECORD_LENGTH / hour_bytes * GB
    yield Row("bundle, of sessions of an hour", at_rest, "bytes/GB", Kind.COMPUTED)
