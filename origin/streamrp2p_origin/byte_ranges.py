"""Which bytes a Range header asks for (RFC 9110 section 14). Pure."""

import re

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


class UnsatisfiableRangeError(ValueError):
    """The range lies beyond the end."""


def byte_range(header: str | None, length_bytes: int) -> range | None:
    """Return the one range asked for, or None for everything: without a header, or with one that is not understood.

    Raises UnsatisfiableRangeError.
    """
    match = _RANGE.fullmatch(header or "")
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        first, last = max(length_bytes - int(match[2]), 0), length_bytes - 1
    else:
        first = int(match[1])
        last = min(int(match[2]) if match[2] else length_bytes - 1, length_bytes - 1)
        if match[2] and int(match[2]) < first:
            return None
    if first > last:
        raise UnsatisfiableRangeError
    return range(first, last + 1)
