"""What a viewer asks of a media playlist: to wait for a part, to leave out what it has. Pure; RFC 8216bis 6.2.5."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streamrp2p.playlist import MediaPlaylist
from streamrp2p_node.errors import Reason, RefusedError

MAX_SEGMENTS_AHEAD = 2
"""Nobody may wait for a segment that is further ahead of the last one than this (RFC 8216bis 6.2.5.2)."""
MAX_SECONDS_AHEAD = 3
"""Nor for a part that is more than so many seconds ahead: the RFC's Advance Part Limit."""

_NUMBER = re.compile(r"[0-9]{1,15}")
_SKIP = ("YES", "v2")
"""`v2` would also leave out date ranges, which no playlist of ours has."""


@dataclass(frozen=True, slots=True)
class PlaylistQuery:
    """The directives of one request. `part` counts from 0 within the segment `media_sequence`."""

    media_sequence: int | None = None
    part: int | None = None
    is_delta: bool = False

    @property
    def is_blocking(self) -> bool:
        """Tell whether the request waits for something."""
        return self.media_sequence is not None

    def is_met_by(self, playlist: MediaPlaylist) -> bool:
        """Tell whether the playlist lists what is waited for. One that has ended never lists more."""
        if self.media_sequence is None or playlist.is_ended:
            return True
        if self.part is None:
            return playlist.next_sequence > self.media_sequence
        sequence, part = self._awaited(playlist, self.media_sequence, self.part)
        return (sequence, part) < (playlist.next_sequence, len(playlist.parts))

    def is_too_far_for(self, playlist: MediaPlaylist) -> bool:
        """Tell whether what is waited for is too far ahead of what the playlist lists."""
        if self.media_sequence is None or self.is_met_by(playlist):
            return False
        if self.media_sequence > playlist.next_sequence - 1 + MAX_SEGMENTS_AHEAD:
            return True
        if self.part is None or not playlist.part_target_micros:
            return False
        is_in_progress = self.media_sequence == playlist.next_sequence
        listed = len(playlist.parts) if is_in_progress else 0
        limit = max(MAX_SECONDS_AHEAD * 1_000_000 // playlist.part_target_micros, MAX_SECONDS_AHEAD)
        return self.part >= listed + limit

    def check_reach(self, playlist: MediaPlaylist) -> None:
        """Raise RefusedError when what is waited for is too far ahead of the newest playlist."""
        if self.is_too_far_for(playlist):
            raise RefusedError(
                Reason.BAD_QUERY,
                f"the next segment is {playlist.next_sequence}, the request waits for {self._shown()}: that is too "
                "far ahead; ask for the playlist without _HLS_msn first",
            )

    def text(self) -> str:
        """Return the query of the same meaning, with its question mark; empty when nothing is asked."""
        asked = {"_HLS_msn": self.media_sequence, "_HLS_part": self.part}
        pairs = [f"{name}={value}" for name, value in asked.items() if value is not None]
        pairs += ["_HLS_skip=YES"] if self.is_delta else []
        return "?" + "&".join(pairs) if pairs else ""

    def _awaited(self, playlist: MediaPlaylist, sequence: int, part: int) -> tuple[int, int]:
        """Return the part to wait for: one beyond a segment's last means the next segment's first."""
        index = sequence - playlist.media_sequence - playlist.skipped_segments
        if 0 <= index < len(playlist.segments):
            parts = playlist.segments[index].parts
            if parts and part >= len(parts):
                return sequence + 1, 0
        return sequence, part

    def _shown(self) -> str:
        segment = f"segment {self.media_sequence}"
        return segment if self.part is None else f"part {self.part} of {segment}"


def after(playlist: MediaPlaylist, *, is_delta: bool) -> PlaylistQuery:
    """Return the query that waits for whatever the playlist does not list yet."""
    part = len(playlist.parts) if playlist.part_target_micros else None
    return PlaylistQuery(playlist.next_sequence, part, is_delta)


def read_query(pairs: Iterable[tuple[str, str]]) -> PlaylistQuery:
    """Read the directives among a request's parameters; raises RefusedError for one that is malformed or given twice.

    Other parameters are passed over, also unknown directives, as the RFC asks of servers.
    """
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in ("_HLS_msn", "_HLS_part", "_HLS_skip"):
            if name in given:
                raise RefusedError(Reason.BAD_QUERY, f"{name} is given twice")
            given[name] = value
    sequence, part = _number(given, "_HLS_msn"), _number(given, "_HLS_part")
    if part is not None and sequence is None:
        raise RefusedError(Reason.BAD_QUERY, "_HLS_part needs the _HLS_msn of its segment")
    if given.get("_HLS_skip", "YES") not in _SKIP:
        raise RefusedError(Reason.BAD_QUERY, "_HLS_skip may only be YES")
    return PlaylistQuery(sequence, part, "_HLS_skip" in given)


def _number(given: Mapping[str, str], name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if not _NUMBER.fullmatch(value):
        raise RefusedError(Reason.BAD_QUERY, f"{name} must be a decimal number")
    return int(value)
