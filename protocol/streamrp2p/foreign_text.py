"""Text that others wrote, made fit for a terminal and a log line."""

import re

MAX_CHARACTERS = 500
_USER = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/'\"]+@", re.IGNORECASE)
_QUERY = re.compile(r"[?#].*", re.DOTALL)


def printable(text: object, limit: int = MAX_CHARACTERS) -> str:
    """Return the text in one line of at most `limit` characters, without controls, escapes and direction marks."""
    shown = str(text)[:limit]
    return "".join(letter if letter.isprintable() else " " for letter in shown).strip()


def without_credentials(text: str) -> str:
    """Return a text without the user part of the URLs in it, which may be a password or a key."""
    return _USER.sub(r"\1***@", text)


def shown_url(url: str, limit: int = MAX_CHARACTERS) -> str:
    """Return a URL that somebody got wrong as it may be repeated: without user part, query and fragment."""
    return printable(_QUERY.sub("?…", without_credentials(url)), limit)
