"""Live playlists whose segments and text the origin vouches for. Source: docs/protocol.md section 10."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from streamrp2p.errors import MalformedError, SignatureError
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.signatures import check_signer, sign
from streamrp2p.typed_data import Domain, Playlist

SEGMENT_TAG = "#EXT-X-STREAMRP2P-SEGMENT:"
SIGNATURE_TAG = "#EXT-X-STREAMRP2P-SIGNATURE:"
MAX_PLAYLIST_BYTES = 256 * 1024
"""A live window of some thousand segments; anything larger is refused before it is parsed."""

_SEGMENT = re.compile(r"SHA256=([0-9a-f]{64}),BYTES=([0-9]{1,15})")
_SIGNATURE = re.compile(
    rb"#EXT-X-STREAMRP2P-SIGNATURE:PUBLISHED-AT=([0-9]{1,15}),SIGNATURE=0x([0-9a-f]{130})\n"
)
_EXTINF = re.compile(r"#EXTINF:([0-9]{1,6}(?:\.[0-9]{1,6})?),.*")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_MEDIA_SEQUENCE = re.compile(r"#EXT-X-MEDIA-SEQUENCE:([0-9]{1,15})")


@dataclass(frozen=True, slots=True)
class Segment:
    """One media segment as the origin vouches for it. `sha256` has 32 bytes, durations are microseconds."""

    media_sequence: int
    name: str
    duration_micros: int
    length_bytes: int
    sha256: Hash


@dataclass(frozen=True, slots=True)
class LivePlaylist:
    """A verified playlist: the live window, oldest segment first."""

    pool_id: int
    media_sequence: int
    published_at: int
    segments: tuple[Segment, ...]
    is_ended: bool


def sign_playlist(
    text: str, segments: Sequence[tuple[str, Hash, int]], *, pool_id: int, domain: Domain, published_at: int,
    origin_key: bytes,
) -> bytes:  # fmt: skip
    """Add segment hashes and the signature line to a plain HLS playlist. `segments` are `(name, sha256, bytes)`.

    Raises MalformedError when the playlist names a segment that is not among them or has no duration of its own.
    """
    known = {name: (digest, length) for name, digest, length in segments}
    lines = text.splitlines()
    signed: list[str] = []
    duration_at: int | None = None
    for line in lines:
        if line.startswith("#EXTINF:"):
            duration_at = len(signed)
        if _is_uri(line):
            if line not in known:
                raise MalformedError(f"playlist names segment {line!r}, whose hash is not known")
            if duration_at is None:
                raise MalformedError(f"playlist names segment {line!r} without #EXTINF before it")
            digest, length = known[line]
            signed.insert(duration_at, f"{SEGMENT_TAG}SHA256={digest.hex()},BYTES={length}")
            duration_at = None
        signed.append(line)
    content = "".join(line + "\n" for line in signed).encode()
    message = Playlist(
        pool_id, _media_sequence(lines), Hash(sha256(content).digest()), published_at
    )
    signature = sign(message.digest(domain), origin_key)
    return (
        content
        + f"{SIGNATURE_TAG}PUBLISHED-AT={published_at},SIGNATURE=0x{signature.hex()}\n".encode()
    )


def verify_playlist(data: bytes, *, pool_id: int, domain: Domain, origin: Address) -> LivePlaylist:
    """Check the origin's signature and read the window. Raises SignatureError or MalformedError."""
    if len(data) > MAX_PLAYLIST_BYTES:
        raise MalformedError(
            f"playlist has {len(data)} bytes, at most {MAX_PLAYLIST_BYTES} are read"
        )
    at = data.rfind(SIGNATURE_TAG.encode())
    match = _SIGNATURE.fullmatch(data[max(at, 0) :]) if at >= 0 else None
    if match is None:
        raise SignatureError("playlist does not end in the origin's signature")
    content = data[:at]
    try:
        # Not splitlines: it also ends lines where other players do not, and they must all read the same.
        *lines, rest = content.decode().split("\n")
    except UnicodeDecodeError as error:
        raise MalformedError("playlist is not UTF-8") from error
    if rest:
        raise MalformedError("the playlist's signature does not stand on a line of its own")
    media_sequence, published_at = _media_sequence(lines), int(match[1])
    message = Playlist(pool_id, media_sequence, Hash(sha256(content).digest()), published_at)
    check_signer(
        message.digest(domain),
        Signature(bytes.fromhex(match[2].decode())),
        origin,
        "the origin",
    )
    return LivePlaylist(
        pool_id,
        media_sequence,
        published_at,
        tuple(_segments(lines, media_sequence)),
        "#EXT-X-ENDLIST" in lines,
    )


def matches(segment: Segment, data: bytes) -> bool:
    """Tell whether `data` is the segment that the origin vouched for."""
    return len(data) == segment.length_bytes and sha256(data).digest() == segment.sha256


def _segments(lines: Sequence[str], media_sequence: int) -> list[Segment]:
    segments: list[Segment] = []
    names: set[str] = set()
    vouched = duration = None
    for line in lines:
        if line.startswith(SEGMENT_TAG):
            vouched = _SEGMENT.fullmatch(line.removeprefix(SEGMENT_TAG))
        elif line.startswith("#EXTINF:"):
            duration = _EXTINF.fullmatch(line)
        elif _is_uri(line):
            if vouched is None or duration is None or not _NAME.fullmatch(line):
                raise MalformedError(
                    f"segment {line[:80]!r} lacks its hash, its duration or a plain name"
                )
            if line in names:
                raise MalformedError(f"playlist names segment {line[:80]!r} twice")
            names.add(line)
            segments.append(
                Segment(
                    media_sequence + len(segments), line, round(float(duration[1]) * 1_000_000),
                    int(vouched[2]), Hash(bytes.fromhex(vouched[1])),
                )
            )  # fmt: skip
            vouched = duration = None
    return segments


def _media_sequence(lines: Sequence[str]) -> int:
    found = [match[1] for line in lines if (match := _MEDIA_SEQUENCE.fullmatch(line))]
    if len(found) != 1:
        raise MalformedError("playlist must have one #EXT-X-MEDIA-SEQUENCE")
    return int(found[0])


def _is_uri(line: str) -> bool:
    return bool(line) and not line.startswith("#")
