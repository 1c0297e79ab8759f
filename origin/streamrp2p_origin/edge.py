"""The live edge of a playlist, and what a blocking reload waits for (RFC 8216bis section 6.2.5.2). Pure."""

from dataclasses import dataclass
from math import ceil

MOST_SEGMENTS_AHEAD = 2
"""Beyond the last complete segment, a player that is in step asks for no more."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The newest that a playlist lists: `sequence` is that of the segment in progress, of which it lists `parts`.

    `parts_before` is how many the segment before it has.
    """

    sequence: int
    parts: int
    parts_before: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request waits for: a segment, or a part of it."""

    sequence: int
    part: int | None

    def is_listed(self, edge: Edge) -> bool:
        """Tell whether it is there; a part that its segment never had is taken for the first of the next one."""
        if self.part is None or self.sequence < edge.sequence - 1:
            return self.sequence < edge.sequence
        if self.sequence == edge.sequence - 1:
            return self.part < edge.parts_before or edge.parts > 0
        return self.sequence == edge.sequence and self.part < edge.parts

    def is_too_far(self, edge: Edge, part_seconds: float) -> bool:
        """Tell whether no player in step with the playlist would ask for it yet."""
        if self.sequence > edge.sequence - 1 + MOST_SEGMENTS_AHEAD:
            return True
        advance = ceil(3 / part_seconds) if part_seconds < 1 else 3
        return self.sequence == edge.sequence and (self.part or 0) > edge.parts - 1 + advance
