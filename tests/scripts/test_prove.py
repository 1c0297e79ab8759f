"""A prover that crashes has proven nothing, and refuted nothing either."""

import sys
from pathlib import Path

import pytest

from scripts.prove.run import TRIES, main

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("crashes", "status", "runs"), [(0, 7, 1), (1, 7, 2), (TRIES, 1, TRIES)])
def test_it_begins_anew_after_a_crash_alone(
    tmp_path: Path, crashes: int, status: int, runs: int
) -> None:
    log = tmp_path / "runs"
    code = f"""
import os
with open({str(log)!r}, "a") as log:
    log.write("x")
if os.path.getsize({str(log)!r}) <= {crashes}:
    os.abort()
raise SystemExit(7)
"""
    assert main([sys.executable, "-c", code]) == status
    assert log.read_text() == "x" * runs
