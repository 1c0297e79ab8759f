"""The names beside each other in a stream's folder: playlists, the relay's path, objects."""

import re

from streamrp2p.errors import MalformedError
from streamrp2p.foreign_text import printable

MULTIVARIANT_NAME = "live.m3u8"
PATH_NAME = "path"
OBJECT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""What an object may be called: never a path, and no playlist."""

_PLAYLIST_SUFFIX = ".m3u8"
_RENDITION = re.compile(r"[a-z0-9]{1,16}")
_RESERVED = ("live", "path")


def playlist_name(rendition: str) -> str:
    """Return the name of a rendition's media playlist; raises MalformedError when that is no rendition's name."""
    if not is_rendition(rendition):
        raise MalformedError(
            f"{printable(rendition)!r} names no rendition: 1 to 16 of a-z and 0-9, not live or path"
        )
    return rendition + _PLAYLIST_SUFFIX


def rendition_of(name: str) -> str | None:
    """Return the rendition whose media playlist has this name, or None."""
    rendition = name.removesuffix(_PLAYLIST_SUFFIX)
    return rendition if rendition != name and is_rendition(rendition) else None


def is_rendition(text: str) -> bool:
    """Tell whether a rendition may be called so."""
    return _RENDITION.fullmatch(text) is not None and text not in _RESERVED


def is_object(text: str) -> bool:
    """Tell whether an object may be called so."""
    is_other = text == PATH_NAME or text.endswith(_PLAYLIST_SUFFIX)
    return OBJECT_NAME.fullmatch(text) is not None and not is_other
