"""Acknowledged records that a bundle leaves out. Source: docs/protocol.md section 8, Omission.

Nobody sees an omission in a bundle alone: it takes the records that the poster acknowledged, which their node keeps.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from streamrp2p.bundle import Bundle
from streamrp2p.difference import Difference, text
from streamrp2p.numbers import Address, SessionId
from streamrp2p.receipt import SessionRecord

_Place = tuple[int, Address, SessionId]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An acknowledged record whose session is absent (`found` None), or there with a lower sequence."""

    record: SessionRecord
    found: SessionRecord | None

    @property
    def weight(self) -> int:
        """The weighted bytes that the epoch lacks."""
        return self.record.weight - (self.found.weight if self.found else 0)

    def difference(self) -> Difference:
        """Return what was promised and what is there, for a person."""
        record, found = self.record, self.found
        return Difference(
            "Omission",
            f"pool {record.ticket.pool_id}, node {text(record.ticket.node)}, "
            f"session {text(record.session_id)}",
            "sequence",
            f"{record.receipt.sequence} or higher",
            text(None if found is None else found.receipt.sequence),
        )


def left_out(bundle: Bundle, acknowledged: Iterable[SessionRecord]) -> Iterator[LeftOut]:
    """Yield each session of which less is there than was acknowledged, with the highest record of weight > 0.

    A session counts where its ticket belongs: under the rows of its pool and node. The caller has checked the poster's
    acknowledgement of each record, and that it is of the bundle's epoch.
    """
    promised: dict[_Place, SessionRecord] = {}
    for record in acknowledged:
        place = _place(record)
        known = promised.get(place)
        # Of one sequence with two contents the lower weight counts.
        if record.weight and (known is None or _rank(record) > _rank(known)):
            promised[place] = record
    found = _sessions(bundle, promised) if promised else {}
    for place, record in promised.items():
        missing = compared(record, found.get(place))
        if missing is not None:
            yield missing


def compared(record: SessionRecord, found: SessionRecord | None) -> LeftOut | None:
    """Compare an acknowledged record with what is there of its session; None if nothing of worth is left out."""
    if not record.weight or (found and found.receipt.sequence >= record.receipt.sequence):
        return None
    return LeftOut(record, found)


def omission_difference(bundle: Bundle, acknowledged: Iterable[SessionRecord]) -> Difference | None:
    """Return the first of `left_out`, or None."""
    first = next(left_out(bundle, acknowledged), None)
    return None if first is None else first.difference()


def _sessions(bundle: Bundle, wanted: Iterable[_Place]) -> dict[_Place, SessionRecord]:
    places = set(wanted)
    rows = {(pool_id, node) for pool_id, node, _ in places}
    return {
        place: record
        for pool_row, node_row, encoded in bundle.by_node()
        if (pool_row.pool_id, node_row.node) in rows
        for record in map(SessionRecord.decode, encoded)
        if (place := (pool_row.pool_id, node_row.node, record.session_id)) in places
    }


def _place(record: SessionRecord) -> _Place:
    return record.ticket.pool_id, record.ticket.node, record.session_id


def _rank(record: SessionRecord) -> tuple[int, int]:
    return record.receipt.sequence, -record.weight
