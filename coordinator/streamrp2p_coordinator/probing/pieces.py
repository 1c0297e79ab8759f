"""What a player in a browser asks for next: parts near the live edge, segments where no parts are listed. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from streamrp2p.playlist import MediaObject, MediaPlaylist, Part

BEHIND_LIVE_MICROS = 2_500_000
"""How far behind the live edge the player of web/ begins."""

Position = tuple[int, int]
"""A media sequence, and the index of a part in it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part or a segment; `after` is where to go on once it is there."""

    object: MediaObject
    map: MediaObject | None
    duration_micros: int
    media_sequence: int
    position: Position
    after: Position


def pieces(playlist: MediaPlaylist, since: Position) -> Iterator[Piece]:
    """Give what the playlist lists from a position on, oldest first."""
    for segment in playlist.segments:
        sequence = segment.media_sequence
        following = (sequence + 1, 0)
        if (sequence, len(segment.parts)) < since or following <= since:
            continue
        if segment.parts:
            yield from _parts(segment.parts, segment.map, sequence, since, closes=True)
        elif since <= (sequence, 0):
            yield Piece(
                segment.object, segment.map, segment.duration_micros, sequence,
                (sequence, 0), following,
            )  # fmt: skip
    yield from _parts(playlist.parts, playlist.map, playlist.next_sequence, since, closes=False)


def start(playlist: MediaPlaylist) -> Position:
    """Return where a player begins: so far behind the live edge, or at the oldest that is listed."""
    listed = list(pieces(playlist, (0, 0)))
    micros = 0
    for piece in reversed(listed):
        micros += piece.duration_micros
        if micros >= BEHIND_LIVE_MICROS:
            return piece.position
    return listed[0].position if listed else (playlist.next_sequence, 0)


def _parts(
    parts: tuple[Part, ...], init: MediaObject | None, sequence: int, since: Position, *, closes: bool
) -> Iterator[Piece]:  # fmt: skip
    for index, part in enumerate(parts):
        is_last = closes and index == len(parts) - 1
        if (sequence, index) >= since:
            yield Piece(
                part.object, init, part.duration_micros, sequence, (sequence, index),
                (sequence + 1, 0) if is_last else (sequence, index + 1),
            )  # fmt: skip
