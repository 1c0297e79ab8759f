"""Reads a rendition from the origin's HTTP side as it is published: blocking reload, every object checked."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from streamrp2p.numbers import Address
from streamrp2p.playlist import MediaObject, Segment, matches, verify_media_playlist
from streamrp2p.typed_data import Domain

_TIMEOUT_SECONDS = 60.0
_RETRY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Stream:
    """Where a stream is served, and whose key vouches for it. `url` ends in the pool's folder."""

    url: str
    pool_id: int
    domain: Domain
    origin: Address


def published_segments(
    stream: Stream, rendition: str, until: float
) -> Iterator[tuple[bytes, bytes]]:
    """Yield `(map, segment)` of each segment as soon as it is listed, up to a time of the monotonic clock."""
    maps: dict[str, bytes] = {}
    next_sequence: int | None = None
    with httpx.Client(base_url=stream.url, timeout=_TIMEOUT_SECONDS) as client:
        while time.monotonic() < until:
            query = {} if next_sequence is None else {"_HLS_msn": next_sequence}
            response = client.get(f"{rendition}.m3u8", params=query)
            if not response.is_success:
                time.sleep(_RETRY_SECONDS)
                continue
            playlist = verify_media_playlist(
                response.content,
                pool_id=stream.pool_id,
                rendition=rendition,
                domain=stream.domain,
                origin=stream.origin,
            )
            for segment in playlist.segments:
                if next_sequence is None or segment.media_sequence >= next_sequence:
                    yield _fetch(client, segment, maps)
            next_sequence = playlist.next_sequence


def _fetch(client: httpx.Client, segment: Segment, maps: dict[str, bytes]) -> tuple[bytes, bytes]:
    if segment.map is None:
        raise ValueError(f"segment {segment.object.name} has no map")
    if segment.map.name not in maps:
        maps[segment.map.name] = _checked(client, segment.map)
    return maps[segment.map.name], _checked(client, segment.object)


def _checked(client: httpx.Client, vouched: MediaObject) -> bytes:
    data = client.get(vouched.name).raise_for_status().content
    if not matches(vouched, data):
        raise ValueError(f"{vouched.name} is not what the origin signed for")
    return data
