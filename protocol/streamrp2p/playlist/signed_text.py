"""The signature around a playlist's lines: put on by the origin, checked by everybody else."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from streamrp2p.errors import MalformedError, SignatureError
from streamrp2p.foreign_text import printable
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.playlist.attributes import integer
from streamrp2p.signatures import check_signer, sign
from streamrp2p.typed_data import Domain, Playlist

MAX_PLAYLIST_BYTES = 1024 * 1024
"""A window of some thousand segments; anything larger is refused before it is parsed."""

_SIGNATURE_TAG = "#EXT-X-STREAMRP2P-SIGNATURE:"
_SIGNATURE = re.compile(
    _SIGNATURE_TAG.encode() + rb"PUBLISHED-AT=(0|[1-9][0-9]{0,14}),SIGNATURE=0x([0-9a-f]{130})\n"
)
_MEDIA_SEQUENCE = "#EXT-X-MEDIA-SEQUENCE:"
_NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
"""What RFC 8216bis section 4.1 forbids, and what ends a line for some players but not for all."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One line `#EXT...`, and the line directly after it ("" at the end). `value` is None without a colon."""

    name: str
    value: str | None
    following: str


def seal(
    lines: Sequence[str], *, pool_id: int, domain: Domain, published_at: int, origin_key: bytes
) -> bytes:
    """Return the lines with the signature line after them. Raises MalformedError for a second media sequence."""
    content = "".join(line + "\n" for line in lines).encode()
    message = _message(content, lines, pool_id, published_at)
    signature = sign(message.digest(domain), origin_key)
    end = f"{_SIGNATURE_TAG}PUBLISHED-AT={published_at},SIGNATURE=0x{signature.hex()}\n"
    return content + end.encode()


def unseal(data: bytes, *, pool_id: int, domain: Domain, origin: Address) -> tuple[list[str], int]:
    """Check the origin's signature; return the lines before it and when they were published.

    Raises SignatureError or MalformedError.
    """
    if len(data) > MAX_PLAYLIST_BYTES:
        raise MalformedError(
            f"playlist has {len(data)} bytes, at most {MAX_PLAYLIST_BYTES} are read"
        )
    at = data.rfind(_SIGNATURE_TAG.encode())
    match = _SIGNATURE.fullmatch(data, at) if at >= 0 else None
    if match is None:
        raise SignatureError("playlist does not end in the origin's signature")
    content = data[:at]
    try:
        *lines, rest = content.decode().split("\n")
    except UnicodeDecodeError as error:
        raise MalformedError("playlist is not UTF-8") from error
    if rest:
        raise MalformedError("the playlist's signature does not stand on a line of its own")
    published_at = int(match[1])
    message = _message(content, lines, pool_id, published_at)
    signature = Signature(bytes.fromhex(match[2].decode()))
    check_signer(message.digest(domain), signature, origin, "the origin")
    return lines, published_at


def tags(lines: Sequence[str]) -> Iterator[Tag]:
    """Give the tags of a playlist; comments and empty lines are passed over. Raises MalformedError.

    A line that names something belongs to the tag directly before it, whose reader must take it by `following`.
    """
    if not lines or lines[0] != "#EXTM3U":
        raise MalformedError("playlist does not begin with #EXTM3U")
    is_taken = False
    for index, line in enumerate(lines):
        if _NOT_TEXT.search(line):
            raise MalformedError(f"line {index + 1} has a character that no playlist may have")
        if line.startswith("#EXT"):
            name, colon, value = line.partition(":")
            following = lines[index + 1] if index + 1 < len(lines) else ""
            is_taken = name in ("#EXTINF", "#EXT-X-STREAM-INF")
            if index > 0:
                yield Tag(name, value if colon else None, following)
            continue
        if line and not line.startswith("#") and not is_taken:
            raise MalformedError(f"{printable(line)!r} has no tag of its own directly before it")
        is_taken = False


def _message(content: bytes, lines: Sequence[str], pool_id: int, published_at: int) -> Playlist:
    found = [
        line.removeprefix(_MEDIA_SEQUENCE) for line in lines if line.startswith(_MEDIA_SEQUENCE)
    ]
    if len(found) > 1:
        raise MalformedError("playlist has more than one #EXT-X-MEDIA-SEQUENCE")
    media_sequence = integer(found[0], "#EXT-X-MEDIA-SEQUENCE") if found else 0
    return Playlist(pool_id, media_sequence, Hash(sha256(content).digest()), published_at)
