"""Run benchmarks: `python -m benchmarks [NAME...]`, all of them without a name.

Microseconds are this machine's and this moment's; the ratio to a hash measured in the same run is what can be compared.

A benchmark is a module `benchmarks/bench_<name>.py` whose `measure()` yields its measurements.
"""

import argparse
import importlib
import os
import platform
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.bench_keccak import measure as measure_keccak
from benchmarks.measurement import Measurement

PREFIX = "bench_"


def benchmark_names() -> list[str]:
    """Name every benchmark."""
    return sorted(
        path.stem.removeprefix(PREFIX) for path in Path(__file__).parent.glob(f"{PREFIX}*.py")
    )


def main() -> None:
    """Measure, and print one table for each benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speeds.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(benchmark_names()))
    names = parser.parse_args().names or benchmark_names()
    if unknown := sorted(set(names) - set(benchmark_names())):
        parser.error(
            f"no benchmark {', '.join(unknown)} (there are: {', '.join(benchmark_names())})"
        )
    console = Console()
    console.print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    hash_seconds = next(measure_keccak()).seconds_per_item
    for name in names:
        table = Table("work", "median", "per second", "in hashes", title=name, title_justify="left")
        for measurement in importlib.import_module(f"benchmarks.{PREFIX}{name}").measure():
            table.add_row(*_cells(measurement, hash_seconds))
        console.print(table)


def _cells(measurement: Measurement, hash_seconds: float) -> tuple[str, ...]:
    return (
        measurement.work,
        f"{measurement.seconds_per_item * 1e6:,.2f} µs",
        f"{1 / measurement.seconds_per_item:,.0f}",
        f"{measurement.seconds_per_item / hash_seconds:,.1f}",
    )


if __name__ == "__main__":
    main()
