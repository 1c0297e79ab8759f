"""ISO base media boxes (ISO/IEC 14496-12, section 4.2): split a byte stream at its boxes, read and write them. Pure."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from streamrp2p_origin.errors import MalformedMediaError

MAX_BOX_BYTES = 16 * 1024 * 1024
"""More than any picture of a live stream; a larger box is refused before it is kept."""
_HEADER_BYTES = 8
_LARGE_HEADER_BYTES = 16
_LARGE = 1
"""Of a box's 32-bit size: the size follows in 64 bits."""


class Box(NamedTuple):
    """A whole box; `header_bytes` is the length of what stands before the payload."""

    kind: bytes
    payload: bytes
    header_bytes: int

    @property
    def length_bytes(self) -> int:
        """The length of the box with its header."""
        return self.header_bytes + len(self.payload)


class BoxReader:
    """Splits a stream into its top boxes. Holds no more than one box that is not whole."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Box]:
        """Yield the boxes that `data` makes whole. Raises MalformedMediaError."""
        self._rest += data
        while (header := _header(self._rest)) is not None:
            kind, header_bytes, length = header
            if len(self._rest) < length:
                return
            payload = bytes(self._rest[header_bytes:length])
            del self._rest[:length]
            yield Box(kind, payload, header_bytes)

    def end(self) -> None:
        """Raise MalformedMediaError when the stream ended within a box."""
        if self._rest:
            raise MalformedMediaError(
                f"the stream ends within a box, of which it has {len(self._rest)} bytes"
            )


def children(payload: bytes) -> Iterator[Box]:
    """Yield the boxes that fill `payload`. Raises MalformedMediaError when they do not."""
    reader = BoxReader()
    yield from reader.feed(payload)
    reader.end()


def child(payload: bytes, *path: bytes) -> bytes:
    """Return the payload of the first box at `path`, each kind within the one before. Raises MalformedMediaError."""
    for kind in path:
        found = next((each.payload for each in children(payload) if each.kind == kind), None)
        if found is None:
            raise MalformedMediaError(f"the box {kind.decode('latin-1')} is missing")
        payload = found
    return payload


def box(kind: bytes, *payloads: bytes) -> bytes:
    """Return a box of the joined payloads."""
    length = _HEADER_BYTES + sum(map(len, payloads))
    return b"".join((struct.pack(">I4s", length, kind), *payloads))


def full_box(kind: bytes, version: int, flags: int, *payloads: bytes) -> bytes:
    """Return a box that begins with a version and 24 bits of flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *payloads)


class Fields:
    """Reads a payload's big-endian numbers, one after the other. Raises MalformedMediaError at its end."""

    def __init__(self, payload: bytes, at: int = 0) -> None:
        self._payload = payload
        self._at = at

    def unsigned(self, length_bytes: int) -> int:
        """Read an unsigned integer."""
        return int.from_bytes(self.take(length_bytes))

    def signed(self, length_bytes: int) -> int:
        """Read an integer in two's complement."""
        return int.from_bytes(self.take(length_bytes), signed=True)

    def take(self, length_bytes: int) -> bytes:
        """Read bytes."""
        end = self._at + length_bytes
        if end > len(self._payload):
            raise MalformedMediaError("a box ends before its last field")
        self._at, begin = end, self._at
        return self._payload[begin:end]

    def version_and_flags(self) -> tuple[int, int]:
        """Read what a full box begins with."""
        return self.unsigned(1), self.unsigned(3)


def _header(data: bytearray) -> tuple[bytes, int, int] | None:
    """Return kind, header's length and whole length, or None when the header is not there yet."""
    if len(data) < _HEADER_BYTES:
        return None
    length, kind = struct.unpack_from(">I4s", data)
    header_bytes = _HEADER_BYTES
    if length == _LARGE:
        if len(data) < _LARGE_HEADER_BYTES:
            return None
        header_bytes = _LARGE_HEADER_BYTES
        (length,) = struct.unpack_from(">Q", data, _HEADER_BYTES)
    # Size 0 means "to the end of the file", which a live stream does not have.
    if not header_bytes <= length <= MAX_BOX_BYTES:
        raise MalformedMediaError(
            f"a box says that it has {length} bytes, {header_bytes} to {MAX_BOX_BYTES} are taken"
        )
    return kind, header_bytes, length
