"""docs/fraud-proofs.md: which proof voids which wrong header, from the mutants of tests/fraud."""

from pathlib import Path

from tests.fraud.table import table


def files() -> dict[Path, bytes]:
    """Play every mutant with the finder alone, and write what voids it."""
    return {Path("docs/fraud-proofs.md"): table().encode()}
