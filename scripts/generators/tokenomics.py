"""The plots of docs/tokenomics, drawn by its executable model."""

import runpy
from pathlib import Path

MODEL = Path("docs/tokenomics/model.py")


def files() -> dict[Path, bytes]:
    """Return the plots by their path."""
    plots: dict[Path, bytes] = runpy.run_path(str(MODEL))["files"]()
    return plots
