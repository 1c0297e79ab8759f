"""Which bytes of an object a request asks for: RFC 9110 section 14, one range alone. Pure."""

import re

from streamrp2p.errors import StreamrP2PError

_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,15})-([0-9]{0,15})[ \t]*", re.IGNORECASE)


class RangeError(StreamrP2PError):
    """The range begins behind the object's end; `length_bytes` is the object's."""

    def __init__(self, length_bytes: int) -> None:
        super().__init__(
            f"the object has {length_bytes} bytes and the range begins behind them; ask for less, or for all of it"
        )
        self.length_bytes = length_bytes

    @property
    def content_range(self) -> str:
        """The header `Content-Range` of the answer 416."""
        return f"bytes */{self.length_bytes}"


def byte_range(header: str | None, length_bytes: int) -> range | None:
    """Return the bytes that the header `Range` asks for, or None for the whole object; raises RangeError.

    Several ranges, other units and what is no range are passed over, as the RFC allows: the answer is the whole.
    """
    found = None if header is None else _RANGE.fullmatch(header)
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        first, last = max(length_bytes - int(found[2]), 0), length_bytes - 1
    else:
        first = int(found[1])
        last = min(int(found[2]), length_bytes - 1) if found[2] else length_bytes - 1
        if found[2] and int(found[2]) < first:
            return None
    if first >= length_bytes:
        raise RangeError(length_bytes)
    return range(first, last + 1)


def content_range(part: range, length_bytes: int) -> str:
    """Return the header `Content-Range` of the answer 206 with a part of an object."""
    return f"bytes {part.start}-{part.stop - 1}/{length_bytes}"
