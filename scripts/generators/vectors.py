"""The golden vectors: literal examples of every encoding, for Python, Solidity and others to check against."""

from pathlib import Path

from scripts.generators._vectors import epochs, media, messages, rules, trees

FOLDER = Path("tests/vectors")


def files() -> dict[Path, bytes]:
    """Make the vector files; their format is in tests/vectors/README.md."""
    made = {**messages.files(), **trees.files(), **rules.files(), **epochs.files(), **media.files()}
    return {FOLDER / name: content for name, content in made.items()}
