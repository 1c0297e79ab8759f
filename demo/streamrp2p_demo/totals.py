"""What the bundles hold of each relay, summed up for the reports."""

from dataclasses import dataclass

from streamrp2p.numbers import Address
from streamrp2p_demo.facts import Facts


@dataclass(frozen=True, slots=True)
class NodeTotals:
    """A node's sums over all bundles, from the records that were paid."""

    sessions: int
    bytes_delivered: int
    bytes_on_time: int

    @property
    def on_time_percent(self) -> float:
        """The share of bytes that came in time, in percent; 0 for none."""
        return 100 * self.bytes_on_time / self.bytes_delivered if self.bytes_delivered else 0.0


def totals_of(facts: Facts, node: Address) -> NodeTotals:
    """Sum up what the bundles hold of a node."""
    receipts = [
        record.receipt
        for epoch in facts.epochs
        for record in epoch.records()
        if record.ticket.node == node
    ]
    return NodeTotals(
        len(receipts),
        sum(receipt.bytes_delivered for receipt in receipts),
        sum(receipt.bytes_on_time for receipt in receipts),
    )
