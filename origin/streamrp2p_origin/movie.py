"""What a `moov` box tells of its one track: what kind, which codec, how large, how fast its clock. Pure.

Layouts: ISO/IEC 14496-12 section 8 (tkhd, mdhd, trex), 14496-15 section 5.3.3 (avcC), 14496-1 section 7.2.6 (esds).
"""

from dataclasses import dataclass
from typing import Literal

from streamrp2p_origin.boxes import Fields, child, children
from streamrp2p_origin.errors import MalformedMediaError

_VISUAL_ENTRY_BYTES = 78
_AUDIO_ENTRY_BYTES = 28
_VISUAL_SIZE_AT = 24
_DECODER_CONFIG, _DECODER_SPECIFIC_INFO = 4, 5
"""Descriptor tags within an `esds` box."""
_AUDIO_OBJECT_ESCAPE = 31


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a sample is when its fragment does not say; from `trex`."""

    duration: int
    size: int
    flags: int


@dataclass(frozen=True, slots=True)
class Track:
    """One track. `codec` is RFC 6381's, width and height are pixels (0 for sound), `timescale` ticks per second."""

    kind: Literal["video", "audio"]
    timescale: int
    codec: str
    width: int
    height: int
    defaults: Defaults
    movie_header: bytes
    """Payload of `mvhd`."""
    box: bytes
    """Payload of `trak`."""


def read_movie(moov: bytes) -> Track:
    """Read the payload of a `moov` box with one track of H.264 or AAC. Raises MalformedMediaError."""
    tracks = [each.payload for each in children(moov) if each.kind == b"trak"]
    if len(tracks) != 1:
        raise MalformedMediaError(f"the movie has {len(tracks)} tracks instead of one")
    timescale = _timescale(child(tracks[0], b"mdia", b"mdhd"))
    table = child(tracks[0], b"mdia", b"minf", b"stbl", b"stsd")
    entry = next(children(table[8:]), None)
    defaults = _defaults(child(moov, b"mvex", b"trex"))
    movie_header = child(moov, b"mvhd")
    match entry:
        case (b"avc1", payload, _):
            size = Fields(payload, _VISUAL_SIZE_AT)
            width, height = size.unsigned(2), size.unsigned(2)
            codec = _avc(child(payload[_VISUAL_ENTRY_BYTES:], b"avcC"))
            return Track(
                "video", timescale, codec, width, height, defaults, movie_header, tracks[0]
            )
        case (b"mp4a", payload, _):
            codec = _aac(child(payload[_AUDIO_ENTRY_BYTES:], b"esds"))
            return Track("audio", timescale, codec, 0, 0, defaults, movie_header, tracks[0])
    raise MalformedMediaError("the track is neither H.264 nor AAC")


def _timescale(mdhd: bytes) -> int:
    fields = Fields(mdhd)
    version, _ = fields.version_and_flags()
    fields.take(16 if version else 8)
    timescale = fields.unsigned(4)
    if timescale == 0:
        raise MalformedMediaError("the track's timescale is 0")
    return timescale


def _defaults(trex: bytes) -> Defaults:
    fields = Fields(trex, 12)
    return Defaults(fields.unsigned(4), fields.unsigned(4), fields.unsigned(4))


def _avc(configuration: bytes) -> str:
    fields = Fields(configuration, 1)
    return f"avc1.{fields.take(3).hex()}"


def _aac(esds: bytes) -> str:
    fields = Fields(esds, 4)
    if _descriptor(fields) != 3:  # noqa: PLR2004 - the tag of an ES descriptor
        raise MalformedMediaError("the box esds does not begin with an ES descriptor")
    fields.take(3)
    if _descriptor(fields) != _DECODER_CONFIG:
        raise MalformedMediaError("the box esds has no decoder configuration")
    object_type = fields.unsigned(1)
    fields.take(12)
    if _descriptor(fields) != _DECODER_SPECIFIC_INFO:
        raise MalformedMediaError("the box esds does not say which AAC it is")
    head = fields.unsigned(2)
    audio_object = head >> 11
    if audio_object == _AUDIO_OBJECT_ESCAPE:
        audio_object = 32 + (head >> 5 & 0x3F)
    return f"mp4a.{object_type:02x}.{audio_object}"


def _descriptor(fields: Fields) -> int:
    """Read a descriptor's tag and skip its length: seven bits a byte, the last without the highest bit."""
    tag = fields.unsigned(1)
    while fields.unsigned(1) & 0x80:
        pass
    return tag
