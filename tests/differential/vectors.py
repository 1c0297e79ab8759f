"""Reads tests/vectors: decimal strings become integers where a test asks for them, hex becomes bytes."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "vectors"
NAMES = tuple(sorted(path.name for path in FOLDER.glob("*.json")))


Json = Any
"""What a vector file holds: the test knows the shape."""


def load(name: str) -> Json:
    """Return a file with every hex string as bytes and every decimal string as an integer, at any depth."""
    return _read(json.loads((FOLDER / name).read_text()))


def _read(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _read(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_read(part) for part in value]
    if isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    return int(value) if isinstance(value, str) and value.isdecimal() else value
