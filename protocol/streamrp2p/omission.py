"""An acknowledged record that a bundle leaves out. Source: docs/protocol.md section 8, Omission.

Nobody sees an omission in a bundle alone: it takes the records that the poster acknowledged, which their node keeps.
"""

from collections.abc import Iterable

from streamrp2p.bundle import Bundle
from streamrp2p.difference import Difference, text
from streamrp2p.receipt import SessionRecord


def omission_difference(bundle: Bundle, acknowledged: Iterable[SessionRecord]) -> Difference | None:
    """Return the first acknowledged record of weight > 0 that is absent, or present with a lower sequence.

    The caller has checked the poster's acknowledgement of each, and that it is of the bundle's epoch.
    """
    sequences = {
        record.session_id: record.receipt.sequence
        for record in map(SessionRecord.decode, bundle.session_records)
    }
    for record in acknowledged:
        found = sequences.get(record.session_id)
        if record.weight and (found is None or found < record.receipt.sequence):
            return Difference(
                "Omission",
                f"pool {record.ticket.pool_id}, node {text(record.ticket.node)}, "
                f"session {text(record.session_id)}",
                "sequence",
                f"{record.receipt.sequence} or higher",
                text(found),
            )
    return None
