"""Put a load on a coordinator: `python -m benchmarks.load rate`, or `soak` for a million sessions and two crashes.

For each epoch both print sessions a second, the time of an answer, and what the coordinator has grown to. `soak` also
kills the coordinator twice and audits all of it.
"""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.load.generator import Tally, hand_in, signed
from benchmarks.load.stage import POOLS, Stage, staged, wait_until
from benchmarks.load.traffic import orders
from benchmarks.load.verdict import audited, check_epoch
from tests.coordinator.process import wait_for

MIB = 1024 * 1024

app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
progress = Console(stderr=True)


class Engine(StrEnum):
    """The databases that a coordinator can use."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


DatabaseOption = Annotated[
    Engine, typer.Option("--database", help="Where the coordinator keeps its data.")
]
EpochOption = Annotated[int, typer.Option(min=10, help="How long an epoch is.")]
BatchOption = Annotated[int, typer.Option(min=1, max=1000, help="Receipts in one batch.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


SETTLING_SECONDS = 0.5
"""After an epoch's intake the coordinator is at work on its trees, or just done with a small one."""


@dataclass(frozen=True, slots=True)
class Row:
    """One epoch of a load."""

    epoch: int
    sessions: int
    seconds: float
    sessions_per_second: float
    answer_p50_ms: float
    answer_p99_ms: float
    repeats: int
    memory_mib: float
    database_mib: float


def _go_on(_: Tally) -> None:
    pass


@app.command()
def rate(
    *,
    database: DatabaseOption = Engine.SQLITE,
    sessions: Annotated[int, typer.Option(min=1000, help="In each epoch.")] = 20_000,
    epochs: Annotated[int, typer.Option(min=1, help="How many epochs get a load.")] = 6,
    epoch_seconds: EpochOption = 30,
    batch: BatchOption = 100,
    as_json: JsonOption = False,
) -> None:
    """Hand the same number in, epoch after epoch, as fast as the coordinator takes it."""
    with TemporaryDirectory() as name, _stage(name, database, epoch_seconds) as stage:
        rows = [_loaded(stage, sessions, batch)[1] for _ in range(epochs)]
    _show(rows, f"{database}, batches of {batch}", as_json=as_json)


@app.command()
def soak(
    *,
    database: DatabaseOption = Engine.SQLITE,
    sessions: Annotated[int, typer.Option(min=1000, help="In all.")] = 1_000_000,
    epochs: Annotated[int, typer.Option(min=2, help="Over how many epochs.")] = 4,
    epoch_seconds: EpochOption = 300,
    batch: BatchOption = 500,
    as_json: JsonOption = False,
) -> None:
    """Hand a number of sessions in, crash twice, then check conservation and recompute every byte."""
    each = -(-sessions // epochs)
    middle = epochs // 2
    tallies: dict[int, Tally] = {}
    rows = []
    with TemporaryDirectory() as name, _stage(name, database, epoch_seconds) as stage:
        half = [lambda: _crash(stage, "in the middle of intake")]

        def crash_once(tally: Tally) -> None:
            if tally.sessions >= each // 2 and half:
                half.pop()()

        for number in range(epochs):
            count = min(each, sessions - each * number)
            tally, row = _loaded(stage, count, batch, crash_once if number == middle else _go_on)
            tallies[row.epoch] = tally
            rows.append(row)
            if number == middle:
                wait_until(stage.epochs.intake_end(row.epoch) + SETTLING_SECONDS)
                _crash(stage, f"while epoch {row.epoch} was settled")
        progress.print("waiting for the last epoch's header")
        _wait_for_header(stage, max(tallies))
        began = time.monotonic()
        for epoch, bundle in audited(stage, max(tallies)):
            settled = tallies.get(epoch, Tally())
            check_epoch(bundle, settled.sessions, settled.weights)
            progress.print(f"epoch {epoch}: {settled.sessions} sessions, byte-identical")
        seconds = time.monotonic() - began
    _show(rows, f"{database}, batches of {batch}, two crashes", as_json=as_json)
    progress.print(f"{sessions} sessions are conserved and recomputed, in {seconds:.0f} s")


def _crash(stage: Stage, when: str) -> None:
    stage.coordinator.kill()
    stage.coordinator.start()
    progress.print(f"killed {when}, and started again")


def _stage(name: str, database: Engine, epoch_seconds: int) -> AbstractContextManager[Stage]:
    return staged(
        Path(name), is_postgresql=database is Engine.POSTGRESQL, epoch_seconds=epoch_seconds
    )


def _loaded(
    stage: Stage,
    sessions: int,
    batch: int,
    on_progress: Callable[[Tally], None] = _go_on,
) -> tuple[Tally, Row]:
    """Sign for the next epoch, wait for it, hand in."""
    epoch = stage.epochs.at(int(time.time())) + 1
    starts_at, ends_at = stage.epochs.start(epoch), stage.epochs.end(epoch)
    planned = orders(epoch, starts_at, ends_at, sessions=sessions, batch=batch, pools=POOLS)
    progress.print(f"epoch {epoch}: signing {sessions} sessions")
    handovers = signed(planned, stage.domain)
    # The chain's clock decides whether the epoch has begun, and it moves on by whole seconds.
    wait_until(starts_at + 1)
    began = time.monotonic()
    tally = hand_in(stage.coordinator.url, handovers, on_progress)
    seconds = time.monotonic() - began
    milliseconds = sorted(1000 * each for each in tally.seconds)
    row = Row(
        epoch,
        tally.sessions,
        round(seconds, 1),
        round(tally.sessions / seconds),
        round(statistics.median(milliseconds), 1),
        round(milliseconds[len(milliseconds) * 99 // 100], 1),
        tally.repeats,
        round(stage.memory_bytes() / MIB, 1),
        round(stage.database_bytes() / MIB, 1),
    )
    progress.print(f"epoch {epoch}: handed in within {seconds:.0f} s")
    return tally, row


def _wait_for_header(stage: Stage, epoch: int) -> None:
    wait_until(stage.epochs.intake_end(epoch))
    wait_for(
        f"the header of epoch {epoch}",
        lambda: stage.chain.epoch_book.commits(epoch) or None,
    )


def _show(rows: list[Row], title: str, *, as_json: bool) -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if as_json:
        document = {"machine": machine, "title": title, "epochs": [asdict(row) for row in rows]}
        typer.echo(json.dumps(document))
        return
    table = Table(
        "epoch", "sessions", "seconds", "a second", "answer p50, ms", "p99", "sent again",
        "memory, MiB", "database, MiB", title=f"{title} ({machine})", title_justify="left",
    )  # fmt: skip
    for row in rows:
        table.add_row(*(f"{value:,}" for value in asdict(row).values()))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(app())
