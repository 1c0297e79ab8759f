"""Measure the gas of whole transactions and compare it with what is committed: `python -m benchmarks.gas [--update]`.

Any difference fails, also a saving: the documents must say what the contracts use.
"""

import argparse
import sys

from benchmarks.gas import report
from benchmarks.gas.rows import measure


def main() -> int:
    """Run the command; the exit code is 1 if a target is missed or the committed figures are others."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gas", description="Measure gas.")
    parser.add_argument("--update", action="store_true", help="write docs/gas.json and docs/gas.md")
    options = parser.parse_args()
    rows = measure()
    for row in rows:
        print(f"{row.gas:>9,}  {row.name}")
    problems = report.over_target(rows)
    if options.update:
        report.write(rows)
    else:
        problems += report.differences(rows, report.committed())
        if not problems and report.TABLE_FILE.read_text() != report.as_table(rows):
            problems.append(f"{report.TABLE_FILE.name} is stale")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems and not options.update:
        print("`make gas UPDATE=1` writes the measured figures", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
