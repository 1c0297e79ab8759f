"""docs/costs.md, from the figures in docs/costs.json, which `make costs UPDATE=1` measures."""

from pathlib import Path

from benchmarks.costs.page import page
from benchmarks.costs.report import from_json

FIGURES = Path("docs/costs.json")


def files() -> dict[Path, bytes]:
    """Return the page by its path."""
    return {Path("docs/costs.md"): page(from_json(FIGURES.read_text())).encode()}
