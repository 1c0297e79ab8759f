"""The origin, asked as a probe asks a node: whether the stream is on the air, how much it is, whether the way works."""

import time
from collections.abc import Sequence

from streamrp2p.playlist import MediaObject, MediaPlaylist
from streamrp2p.viewer.errors import SessionOverError, SourceError
from streamrp2p.viewer.source import GoneError, Source
from streamrp2p_coordinator.probing.outcome import Control

REQUEST_SECONDS = 6.0
STREAM_SECONDS = 20.0
"""All of a stream's playlists together take no longer, or none is told of."""
MAX_RENDITIONS = 16
MICROS = 1_000_000
FAILURES = (SourceError, GoneError, SessionOverError)


def read_stream(origin: Source) -> Sequence[MediaPlaylist]:
    """Return the signed playlists of all renditions; none when the stream is not on the air, or the origin fails.

    One that takes STREAM_SECONDS fails: a part of the renditions would tell too small a rate.
    """
    end = time.monotonic() + STREAM_SECONDS
    try:
        variants = origin.multivariant(REQUEST_SECONDS).variants[:MAX_RENDITIONS]
        playlists = []
        for each in variants:
            left = end - time.monotonic()
            if left <= 0:
                return []
            playlists.append(origin.media(each.rendition, None, min(REQUEST_SECONDS, left)))
    except FAILURES:
        return []
    return playlists


def ask_origin(
    origin: Source, rendition: str, wrong: MediaObject | None, *, others_answer: bool | None
) -> Control:
    """Fetch the object that a node gave wrongly, or else the newest segment, from the origin."""
    try:
        playlist = origin.media(rendition, None, REQUEST_SECONDS)
        newest = playlist.segments[-1]
        wanted = wrong or newest.object
        begun = time.monotonic()
        origin.object(wanted, REQUEST_SECONDS)
        micros = max(round((time.monotonic() - begun) * MICROS), 1)
    except (*FAILURES, IndexError):
        return Control(is_good=False, others_answer=others_answer)
    return Control(
        is_good=wrong is not None or micros < newest.duration_micros,
        bytes_per_second=wanted.length_bytes * MICROS // micros,
        others_answer=others_answer,
    )
