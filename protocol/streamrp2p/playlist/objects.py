"""What a media playlist names, and the tags by which the origin vouches for it."""

import re
from dataclasses import dataclass
from hashlib import sha256

from streamrp2p.errors import MalformedError
from streamrp2p.foreign_text import printable
from streamrp2p.numbers import Hash
from streamrp2p.playlist.names import is_object

MAP_TAG = "#EXT-X-STREAMRP2P-MAP"
PART_TAG = "#EXT-X-STREAMRP2P-PART"
SEGMENT_TAG = "#EXT-X-STREAMRP2P-SEGMENT"
THUMBNAIL_TAG = "#EXT-X-STREAMRP2P-THUMBNAIL"
MAX_OBJECT_BYTES = 64 * 1024 * 1024
"""Eight seconds of 64 Mbit/s."""

_VOUCHING = re.compile(r"SHA256=([0-9a-f]{64}),BYTES=([1-9][0-9]{0,14})")


@dataclass(frozen=True, slots=True)
class MediaObject:
    """A map, part, segment or thumbnail as the origin vouches for it. `sha256` has 32 bytes."""

    name: str
    length_bytes: int
    sha256: Hash


def matches(vouched: MediaObject, data: bytes) -> bool:
    """Tell whether `data` is the object that the origin vouched for."""
    return len(data) == vouched.length_bytes and sha256(data).digest() == vouched.sha256


def vouching(vouched: MediaObject) -> str:
    """Return a vouching tag's value."""
    return f"SHA256={vouched.sha256.hex()},BYTES={vouched.length_bytes}"


def read_object(value: str | None, name: str) -> MediaObject:
    """Return the object `name` that a vouching tag's value is about. Raises MalformedError."""
    match = _VOUCHING.fullmatch(value or "")
    if match is None:
        raise MalformedError(f"object {printable(name)!r} lacks its hash or its length")
    if not is_object(name):
        raise MalformedError(f"object {printable(name)!r} does not have a plain name")
    length = int(match[2])
    if length > MAX_OBJECT_BYTES:
        raise MalformedError(
            f"object {name!r} has {length} bytes, at most {MAX_OBJECT_BYTES} are read"
        )
    return MediaObject(name, length, Hash(bytes.fromhex(match[1])))
