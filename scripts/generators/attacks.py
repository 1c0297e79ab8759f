"""docs/attacks.md, from the figures in docs/attacks.json, which `make attacks UPDATE=1` finds."""

from pathlib import Path

from tests.attacks.report import from_json, page

FIGURES = Path("docs/attacks.json")


def files() -> dict[Path, bytes]:
    """Return the page by its path."""
    return {Path("docs/attacks.md"): page(from_json(FIGURES.read_text())).encode()}
