"""The journal's framing: `uint32 length ‖ uint8 kind ‖ payload ‖ uint32 CRC-32 of all before it`, big-endian.

A crash in the middle of a write leaves a torn tail; `scan` reads up to it and says where it starts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct
from zlib import crc32

MAGIC = b"SRP2PNJ1"
"""The first 8 bytes of each journal: StreamrP2P node journal, version 1."""
MAX_PAYLOAD_BYTES = 4096
"""Larger than any entry; a longer length is damage, and must not make the reader skip the rest of the file."""

_HEAD = Struct(">IB")
_CHECK = Struct(">I")


@dataclass(frozen=True, slots=True)
class Frame:
    """One framed record: `kind` below 256, at most MAX_PAYLOAD_BYTES of payload."""

    kind: int
    payload: bytes

    def encode(self) -> bytes:
        """Return the frame's bytes; raises ValueError for a payload beyond MAX_PAYLOAD_BYTES."""
        if len(self.payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(f"a frame holds at most {MAX_PAYLOAD_BYTES} bytes")
        body = _HEAD.pack(len(self.payload), self.kind) + self.payload
        return body + _CHECK.pack(crc32(body))


@dataclass(frozen=True, slots=True)
class Scan:
    """What a journal's bytes hold: the frames up to the first damage, and how many bytes they take."""

    frames: tuple[Frame, ...]
    intact_bytes: int


def encode_journal(frames: Iterable[Frame]) -> bytes:
    """Return a whole journal file."""
    return MAGIC + b"".join(frame.encode() for frame in frames)


def scan(data: bytes) -> Scan:
    """Read a journal up to its torn tail, if any. A file that does not begin as a journal holds nothing."""
    if not data.startswith(MAGIC):
        return Scan((), 0)
    frames: list[Frame] = []
    at = len(MAGIC)
    while (frame := _frame_at(data, at)) is not None:
        frames.append(frame)
        at += _HEAD.size + len(frame.payload) + _CHECK.size
    return Scan(tuple(frames), at)


def _frame_at(data: bytes, at: int) -> Frame | None:
    if at + _HEAD.size > len(data):
        return None
    length, kind = _HEAD.unpack_from(data, at)
    end = at + _HEAD.size + length
    if length > MAX_PAYLOAD_BYTES or end + _CHECK.size > len(data):
        return None
    if _CHECK.unpack_from(data, end)[0] != crc32(data[at:end]):
        return None
    return Frame(kind, data[at + _HEAD.size : end])
