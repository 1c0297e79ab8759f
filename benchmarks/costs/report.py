"""What was measured, and how it is kept in docs/costs.json. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

DIGITS = 3
"""Significant ones: what lies beyond them changes from run to run."""


class Kind(StrEnum):
    """Where a figure comes from."""

    GIVEN = "given"
    """By the measurement's set-up, or by the protocol."""
    MEASURED = "measured"
    COMPUTED = "computed"
    """From measured ones, by the rule that the row names."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    name: str
    value: float
    unit: str
    kind: Kind = Kind.MEASURED

    def rounded(self) -> "Row":
        """Return the row with as many digits of its figure as mean something."""
        return replace(self, value=rounded(self.value))


@dataclass(frozen=True, slots=True)
class Machine:
    """What was measured on, and when. `load` is the one-minute average before and after."""

    date: str
    processor: str
    cores: int
    load: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Section:
    """The figures of one kind, and the command that shows them."""

    title: str
    command: str
    machine: Machine
    rows: tuple[Row, ...]

    def value(self, name: str) -> float:
        """Return the figure of a row; raises KeyError without one of that name."""
        values = {row.name: row.value for row in self.rows}
        return values[name]


def rounded(value: float) -> float:
    """Return a figure with as many digits as mean something."""
    return float(f"{value:.{DIGITS}g}")


def shown(value: float) -> str:
    """Return a figure as people read it: `1,230`, `0.0123`."""
    kept = rounded(value)
    return f"{kept:,.0f}" if abs(kept) >= 10**DIGITS or kept == int(kept) else f"{kept:.{DIGITS}g}"


def merged(older: Iterable[Section], newer: Iterable[Section]) -> list[Section]:
    """Return the newer sections in place of the older ones of the same title, and those as they are that it has not."""
    sections = {section.title: section for section in older}
    sections |= {section.title: section for section in newer}
    return list(sections.values())


def as_json(sections: Sequence[Section]) -> str:
    """Return the text of docs/costs.json."""
    return json.dumps([asdict(section) for section in sections], indent=1) + "\n"


def from_json(text: str) -> list[Section]:
    """Read what `as_json` wrote."""
    return [
        Section(
            each["title"],
            each["command"],
            Machine(**(each["machine"] | {"load": tuple(each["machine"]["load"])})),
            tuple(Row(**(row | {"kind": Kind(row["kind"])})) for row in each["rows"]),
        )
        for each in json.loads(text)
    ]
