"""Compare a node's throughput with nginx's: `python -m benchmarks.serving [--check]`.

All serve the same bytes to the same client on this machine, in turn, so that what else runs here hits them alike: a
ratio is the median of those of the rounds. On a machine with other work to do, of which the load tells, it still
varies, so that only `--check` makes a ratio below the goal a failure.
"""

import argparse
import os
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.serving.load import Load, require
from benchmarks.serving.nginx import nginx
from benchmarks.serving.node import node

CONNECTIONS = (1, 16, 128)
LEAST_RATIO = 0.5
"""The goal: this part of nginx's throughput, also when it has as many workers as there are cores."""
KIB = 1024
LENGTHS = (1024 * KIB, 200 * KIB)
"""Of the objects: two seconds of 4 Mbit/s, and a part of half a second of 3 Mbit/s."""


def main() -> int:
    """Run the command; with `--check` the exit code is 1 if the node misses the goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts")
    parser.add_argument("--check", action="store_true", help=f"fail below a ratio of {LEAST_RATIO}")
    options = parser.parse_args()
    require("nginx", "wrk")
    with TemporaryDirectory() as name:
        least = _compare(Path(name), options.seconds, options.rounds)
    return 1 if options.check and least < LEAST_RATIO else 0


def _compare(folder: Path, seconds: float, rounds: int) -> float:
    """Print what was measured; the lowest ratio."""
    # The workers of nginx may run as another user.
    folder.chmod(0o755)
    load = Load.make(folder)
    table = Table(
        "object", "connections", "node, MB/s", "nginx, one worker", "nginx, a worker per core",
        "ratio to one", "ratio to all", "load",
    )  # fmt: skip
    least = float("inf")
    for length in LENGTHS:
        with ExitStack() as running:
            targets = _targets(folder / str(length), length, running)
            for connections in CONNECTIONS:
                found = [_round(load, targets, connections, seconds) for _ in range(rounds)]
                speeds = [statistics.median(each) for each in zip(*found, strict=True)]
                ratios = [
                    statistics.median(own / others[index] for own, *others in found)
                    for index in range(len(targets) - 1)
                ]
                least = min(least, *ratios)
                table.add_row(
                    f"{length // KIB} KiB", str(connections),
                    *(f"{speed:,.0f}" for speed in speeds),
                    *(f"{ratio:.2f}" for ratio in ratios),
                    f"{os.getloadavg()[0]:.1f}",
                )  # fmt: skip
    console = Console()
    console.print(
        f"{os.cpu_count()} cores, medians of {rounds} times {seconds:g} s, one wrk thread"
    )
    console.print(table)
    return least


def _targets(folder: Path, length: int, running: ExitStack) -> list[tuple[str, dict[str, str]]]:
    """Start the servers; URL and request headers of each."""
    files = folder / "files"
    files.mkdir(parents=True)
    (files / "seg0.ts").write_bytes(bytes(length))
    own = running.enter_context(node(folder / "node", length))
    one = running.enter_context(nginx(folder / "one", files, workers=1))
    per_core = running.enter_context(nginx(folder / "all", files, workers="auto"))
    return [(own.object_url, own.headers), (f"{one}/seg0.ts", {}), (f"{per_core}/seg0.ts", {})]


def _round(
    load: Load, targets: list[tuple[str, dict[str, str]]], connections: int, seconds: float
) -> list[float]:
    """Measure each target once: megabytes per second."""
    return [
        load.fetched(
            url, connections=connections, seconds=seconds, headers=headers
        ).megabytes_per_second
        for url, headers in targets
    ]


if __name__ == "__main__":
    sys.exit(main())
