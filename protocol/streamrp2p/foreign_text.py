"""Text that others wrote, made fit for a terminal and a log line."""

MAX_CHARACTERS = 500


def printable(text: object, limit: int = MAX_CHARACTERS) -> str:
    """Return the text in one line of at most `limit` characters, without controls, escapes and direction marks."""
    shown = str(text)[:limit]
    return "".join(letter if letter.isprintable() else " " for letter in shown).strip()
