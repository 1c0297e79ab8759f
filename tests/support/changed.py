"""Wrong on purpose: a copy of a dataclass with fields of any type."""

from dataclasses import replace
from typing import TypeVar

Record = TypeVar("Record")


def changed(record: Record, **fields: object) -> Record:
    """Return the copy; the type checker is not asked, for a test may want a wrong type."""
    return replace(record, **fields)  # type: ignore[type-var]
