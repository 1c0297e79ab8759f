"""`streamrp2p demo`: exit 0 when every check passed, 1 when one failed, 2 when something is missing on this machine."""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from streamrp2p.durable import write_atomically
from streamrp2p.errors import StreamrP2PError
from streamrp2p_demo.errors import MissingToolError, StoppedError
from streamrp2p_demo.stopping import stop_on_signals

EXIT_FAILED, EXIT_ENVIRONMENT, EXIT_STOPPED = 1, 2, 130
PLAIN_WIDTH = 120
"""Columns of the tables where no terminal says how wide it is."""

app = typer.Typer(
    help="Run every actor on this machine, with a local chain.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def demo(
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report to this file as well.")
    ] = None,
    keep_dir: Annotated[
        bool, typer.Option("--keep-dir", help="Keep the folder with logs, keys and databases.")
    ] = False,
    epochs: Annotated[
        int,
        typer.Option(help="Whole epochs, of 24 seconds each, that viewers watch.", min=2, max=50),
    ] = 3,
    fraud: Annotated[
        bool,
        typer.Option(
            "--fraud",
            help="Let the poster lie once, and a watchman void its header and earn half of its bond.",
        ),
    ] = False,
) -> None:
    """Run chain, coordinator, origin, three relays, six viewers and three adversaries, and check the outcome.

    Everything is a process of its own on the loopback interface. It takes about three minutes.
    """
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    folder = Path(tempfile.mkdtemp(prefix="streamrp2p-demo-"))
    stop_on_signals()
    code = EXIT_FAILED
    try:
        code = _run(console, folder, json_file, epochs, with_fraud=fraud)
    except StoppedError as error:
        console.print(f"[yellow]{error}[/]; every process was stopped")
        code = EXIT_STOPPED
    finally:
        if keep_dir or code == EXIT_FAILED:
            console.print(f"logs, keys and databases are in {folder}", soft_wrap=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    raise typer.Exit(code)


def _run(
    console: Console, folder: Path, json_file: Path | None, epochs: int, *, with_fraud: bool
) -> int:
    from streamrp2p_demo.progress import Progress  # noqa: PLC0415 - `--help` needs no chain
    from streamrp2p_demo.report import print_report  # noqa: PLC0415
    from streamrp2p_demo.report_json import as_json  # noqa: PLC0415
    from streamrp2p_demo.run import print_tails, run  # noqa: PLC0415

    with Progress(console) as progress:
        try:
            facts, results = run(progress, folder, epochs, with_fraud=with_fraud)
        except StoppedError:
            raise
        except StreamrP2PError as error:
            print_tails(console, folder)
            console.print("[bold red]FAILED[/]:", end=" ")
            console.print(str(error), markup=False)
            _write(json_file, {"ok": False, "error": str(error)})
            return EXIT_ENVIRONMENT if isinstance(error, MissingToolError) else EXIT_FAILED
    report = as_json(facts, results, progress.seconds)
    _write(json_file, report)
    if not report["ok"]:
        print_tails(console, folder)
    print_report(console, facts, results)
    console.print(f"{progress.seconds:.0f} seconds")
    return 0 if report["ok"] else EXIT_FAILED


def _write(json_file: Path | None, report: Mapping[str, Any]) -> None:
    if json_file is not None:
        write_atomically(json_file, json.dumps(report, indent=2).encode() + b"\n")
