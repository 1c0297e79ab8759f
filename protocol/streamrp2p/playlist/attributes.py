"""The values of HLS tags, read by the letter of RFC 8216bis section 4.2. All functions raise MalformedError."""

import re
from collections.abc import Collection

from streamrp2p.errors import MalformedError
from streamrp2p.foreign_text import printable

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",\s]+)(,(?=[A-Z0-9-])|$)')
_INTEGER = re.compile(r"0|[1-9][0-9]{0,14}")
_DECIMAL = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,6}))?")
_RESOLUTION = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")


def integer(text: str | None, what: str) -> int:
    """Return a decimal integer of at most 15 digits: one that also a double holds exactly."""
    if text is None or not _INTEGER.fullmatch(text):
        raise MalformedError(f"{what} must be a decimal integer, got {printable(str(text))!r}")
    return int(text)


def micros(text: str | None, what: str) -> int:
    """Return a decimal number of seconds, with at most six places, as microseconds."""
    match = _DECIMAL.fullmatch(text or "")
    if match is None:
        raise MalformedError(f"{what} must be decimal seconds, got {printable(str(text))!r}")
    return int(match[1]) * 1_000_000 + int((match[2] or "").ljust(6, "0"))


class Attributes:
    """An attribute list: each name once, and none but the `known` ones, so that all players read the same."""

    def __init__(self, text: str | None, tag: str, known: Collection[str]) -> None:
        self._tag = tag
        self._values: dict[str, str] = {}
        rest = text or ""
        at = 0
        while match := _ATTRIBUTE.match(rest, at):
            name, at = match[1], match.end()
            if name in self._values or name not in known:
                raise MalformedError(f"{tag} has {name} twice, or may not have it")
            self._values[name] = match[2]
            if not match[3]:
                break
        if at != len(rest) or not self._values:
            raise MalformedError(f"{tag} lacks a list of attributes, got {printable(rest)!r}")

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """Return a quoted string that must be there."""
        value = self._values.get(name, "")
        if not value.startswith('"'):
            raise MalformedError(f"{self._tag} must have {name} in quotes")
        return value[1:-1]

    def optional_text(self, name: str) -> str | None:
        """Return a quoted string, or None."""
        return self.text(name) if name in self else None

    def integer(self, name: str) -> int:
        """Return an integer that must be there."""
        return integer(self._values.get(name), f"{name} of {self._tag}")

    def optional_integer(self, name: str) -> int | None:
        """Return an integer, or None."""
        return self.integer(name) if name in self else None

    def micros(self, name: str) -> int:
        """Return the microseconds of a duration that must be there."""
        return micros(self._values.get(name), f"{name} of {self._tag}")

    def optional_micros(self, name: str) -> int | None:
        """Return the microseconds of a duration, or None."""
        return self.micros(name) if name in self else None

    def is_yes(self, name: str) -> bool:
        """Tell whether the attribute is there; it may only be YES."""
        value = self._values.get(name, "YES")
        if value != "YES":
            raise MalformedError(f"{name} of {self._tag} may only be YES")
        return name in self

    def optional_resolution(self, name: str) -> tuple[int, int] | None:
        """Return width and height in pixels, or None."""
        if name not in self:
            return None
        match = _RESOLUTION.fullmatch(self._values[name])
        if match is None:
            raise MalformedError(f"{name} of {self._tag} must be WIDTHxHEIGHT")
        return int(match[1]), int(match[2])
