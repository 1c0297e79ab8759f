"""Measure what a stream costs: `python -m benchmarks.costs [PART...] [--json] [--update]`, all parts without a name."""

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.costs import ladder, live, serving
from benchmarks.costs.machine import load, machine
from benchmarks.costs.page import page
from benchmarks.costs.report import (
    Row,
    Section,
    as_json,
    from_json,
    merged,
    shown,
)
from benchmarks.serving.load import require

ROOT = Path(__file__).resolve().parents[2]
JSON_FILE = ROOT / "docs" / "costs.json"
PAGE_FILE = ROOT / "docs" / "costs.md"
COMMAND = "python -m benchmarks.costs"

PARTS: dict[str, Callable[[Path], dict[str, list[Row]]]] = {
    "live": live.measure,
    "serving": lambda folder: {"Relay CPU, files": list(serving.measure(folder))},
    "ladder": lambda folder: {"Origin CPU": list(ladder.measure(folder))},
}
"""Each measures the rows of some sections."""
PROGRAMS = {"live": ("chromium", "nginx"), "serving": ("nginx", "wrk"), "ladder": ()}
"""What each needs."""


def main() -> None:
    """Measure and print one table for each section."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--json", action="store_true", help="print JSON, as docs/costs.json has it")
    parser.add_argument(
        "--update", action="store_true", help="write docs/costs.json and docs/costs.md"
    )
    options = parser.parse_args()
    if unknown := sorted(set(options.parts) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)} (there are: {', '.join(PARTS)})")
    parts = options.parts or list(PARTS)
    require(*sorted({program for part in parts for program in PROGRAMS[part]}))
    sections = [each for part in parts for each in _measured(part)]
    if options.json:
        print(as_json(sections), end="")
    else:
        _print(sections)
    if options.update:
        older = from_json(JSON_FILE.read_text()) if JSON_FILE.is_file() else []
        kept = merged(older, sections)
        # The page first: it cannot be made of figures that are not whole.
        text = page(kept)
        JSON_FILE.write_text(as_json(kept))
        PAGE_FILE.write_text(text)


def _measured(part: str) -> list[Section]:
    before = load()
    with TemporaryDirectory(prefix=f"costs-{part}-") as folder:
        found = PARTS[part](Path(folder))
    here = machine(before)
    return [
        Section(title, f"{COMMAND} {part}", here, tuple(row.rounded() for row in rows))
        for title, rows in found.items()
    ]


def _print(sections: list[Section]) -> None:
    console = Console()
    for section in sections:
        here = section.machine
        console.print(
            f"{section.title}: {here.processor}, {here.cores} cores, "
            f"load {here.load[0]:g} before and {here.load[1]:g} after"
        )
        table = Table("what", "figure", "unit", "")
        table.columns[1].justify = "right"
        for row in section.rows:
            table.add_row(row.name, shown(row.value), row.unit, row.kind)
        console.print(table)


if __name__ == "__main__":
    main()
