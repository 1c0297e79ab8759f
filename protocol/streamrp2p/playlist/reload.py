"""How a media playlist is asked for again, and when the answer is due. Source: RFC 8216bis section 6.2.5.

Players write the directives; relays and origins read them, and hold the answer until the live edge meets them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from streamrp2p.errors import MalformedError

MAX_SEGMENTS_AHEAD = 2
"""Nobody may wait for a segment that is further ahead of the last complete one (RFC 8216bis 6.2.5.2)."""
_AHEAD_MICROS = 3_000_000
_LEAST_PARTS_AHEAD = 3
"""Nor for a part that is more than three seconds, or three parts, ahead: the RFC's Advance Part Limit."""

_NUMBER = re.compile(r"[0-9]{1,15}")
_SKIP = ("YES", "v2")
"""`v2` would also leave out date ranges, which no playlist of ours has."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The newest that a playlist lists: `sequence` is that of the segment in progress, of which it lists `parts`.

    `parts_before` is how many it lists of the segment before; 0 means that it lists none there.
    """

    sequence: int
    parts: int
    parts_before: int
    part_target_micros: int | None
    is_ended: bool = False


@dataclass(frozen=True, slots=True)
class Reload:
    """The directives of one request.

    The answer waits for the segment `media_sequence`, or for its part number `part`, from 0; `is_delta` asks for a
    delta update.
    """

    media_sequence: int | None = None
    part: int | None = None
    is_delta: bool = False

    @property
    def is_blocking(self) -> bool:
        """Tell whether the request waits for something."""
        return self.media_sequence is not None

    def is_met_by(self, edge: Edge) -> bool:
        """Tell whether what is waited for is listed. A playlist that has ended never lists more."""
        sequence, part = self.media_sequence, self.part
        if sequence is None or edge.is_ended:
            return True
        if part is None:
            return sequence < edge.sequence
        if sequence == edge.sequence - 1 and part >= edge.parts_before > 0:
            # One beyond the last of a segment stands for the first of the next.
            sequence, part = edge.sequence, 0
        return (sequence, part) < (edge.sequence, edge.parts)

    def is_too_far_for(self, edge: Edge) -> bool:
        """Tell whether no player in step with the playlist would wait for it yet."""
        if self.media_sequence is None or self.is_met_by(edge):
            return False
        segments_ahead = self.media_sequence - (edge.sequence - 1)
        if segments_ahead > MAX_SEGMENTS_AHEAD:
            return True
        if self.part is None or segments_ahead < 1 or not edge.part_target_micros:
            return False
        listed = edge.parts if segments_ahead == 1 else 0
        return self.part >= listed + max(
            -(-_AHEAD_MICROS // edge.part_target_micros), _LEAST_PARTS_AHEAD
        )

    def directives(self) -> dict[str, str]:
        """Return the query's parameters."""
        given: dict[str, object] = {"_HLS_msn": self.media_sequence, "_HLS_part": self.part}
        given["_HLS_skip"] = "YES" if self.is_delta else None
        return {name: str(value) for name, value in given.items() if value is not None}


def reload_after(edge: Edge, *, is_delta: bool) -> Reload:
    """Return the request that waits for whatever the playlist does not list yet."""
    return Reload(edge.sequence, edge.parts if edge.part_target_micros else None, is_delta)


def read_reload(pairs: Iterable[tuple[str, str]]) -> Reload:
    """Read the directives among a request's parameters; raises MalformedError for one that is wrong or given twice.

    Other parameters are passed over, also unknown directives, as the RFC asks of servers.
    """
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in ("_HLS_msn", "_HLS_part", "_HLS_skip"):
            if name in given:
                raise MalformedError(f"{name} is given twice")
            given[name] = value
    sequence, part = _number(given, "_HLS_msn"), _number(given, "_HLS_part")
    if part is not None and sequence is None:
        raise MalformedError("_HLS_part needs the _HLS_msn of its segment")
    if given.get("_HLS_skip", "YES") not in _SKIP:
        raise MalformedError("_HLS_skip may only be YES")
    return Reload(sequence, part, "_HLS_skip" in given)


def _number(given: dict[str, str], name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if not _NUMBER.fullmatch(value):
        raise MalformedError(f"{name} must be a decimal number")
    return int(value)
