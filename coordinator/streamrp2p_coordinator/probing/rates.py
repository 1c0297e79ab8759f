"""How many bytes a second of the stream has. Pure."""

from collections.abc import Iterable, Sequence

from streamrp2p.playlist import MediaPlaylist, Segment

WINDOW_MICROS = 10_000_000
"""The rate is the highest over so much media at a stretch, for no scene of a stream is like the next."""
LEAST_MICROS = 2_000_000
"""Of less nothing is said."""


def stream_rate(playlists: Iterable[MediaPlaylist]) -> int | None:
    """Return the bytes per second of the largest rendition, rounded up; None while hardly anything is listed."""
    rates = (_rate(playlist.segments) for playlist in playlists)
    return max((rate for rate in rates if rate is not None), default=None)


def _rate(segments: Sequence[Segment]) -> int | None:
    """Return the highest rate of any stretch of WINDOW_MICROS, or of all when that is less."""
    best: int | None = None
    first = length_bytes = micros = 0
    for segment in segments:
        length_bytes += _bytes_of(segment)
        micros += segment.duration_micros
        while micros - segments[first].duration_micros >= WINDOW_MICROS:
            length_bytes -= _bytes_of(segments[first])
            micros -= segments[first].duration_micros
            first += 1
        if micros >= WINDOW_MICROS:
            best = max(best or 0, _per_second(length_bytes, micros))
    if best is None and micros >= LEAST_MICROS:
        best = _per_second(length_bytes, micros)
    return best


def _bytes_of(segment: Segment) -> int:
    """Return what a viewer counts of a segment when it shows its thumbnail as well."""
    thumbnail = segment.thumbnail
    return segment.object.length_bytes + (0 if thumbnail is None else thumbnail.length_bytes)


def _per_second(length_bytes: int, micros: int) -> int:
    return -(-length_bytes * 1_000_000 // micros)
