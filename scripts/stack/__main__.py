"""Run the services of compose.yaml on this machine: `python -m scripts.stack --dir FOLDER`, or `make stack`."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from streamrp2p.cli_options import explained
from streamrp2p_demo.errors import StoppedError
from streamrp2p_demo.stopping import stop_on_signals

PLAIN_WIDTH = 120
"""Columns where no terminal says how wide it is."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def stack(
    *,
    directory: Annotated[
        Path,
        typer.Option(
            "--dir",
            metavar="FOLDER",
            help="Keys, databases, the chain's state and logs. A new one is filled; an earlier stack goes on.",
        ),
    ],
    free_ports: Annotated[
        bool,
        typer.Option(
            "--free-ports",
            help="In a new folder: take ports that are free now instead of the usual ones, and keep them.",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document once all are ready.")
    ] = False,
) -> None:
    """Run chain, PostgreSQL, ingest, origin, coordinator, node, auditor, player, Prometheus and Grafana, until Ctrl-C.

    Everything listens on 127.0.0.1 alone, from packages, without a container engine. The chain is a local anvil whose
    keys everybody knows: its money is worth nothing. Prometheus, Grafana and nginx run where they are installed.

    Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 something ended or was not ready in time, 2 change something first.
    """
    from scripts.stack.folder import Folder  # noqa: PLC0415 - `--help` needs no chain
    from scripts.stack.run import Running, running_stack  # noqa: PLC0415
    from streamrp2p_demo.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True, width=None if sys.stderr.isatty() else PLAIN_WIDTH)
    folder = Folder(directory.resolve())
    stop_on_signals()

    def show(running: Running) -> None:
        for name, reason in running.left_out.items():
            progress.tell(f"{name} is left out: {reason}")
        progress.tell(f"logs are in {folder.layout.logs}")
        progress.tell(f"to push a test picture: {shlex.join(running.publishing(folder))}")
        progress.tell("all is ready; Ctrl-C stops it")
        if as_json:
            typer.echo(json.dumps(running.as_json(folder)))

    with Progress(console) as progress, explained():
        try:
            with running_stack(folder, progress, free_ports=free_ports) as running:
                show(running)
                running.wait_until_stopped()
        except StoppedError as error:
            progress.tell(str(error))


if __name__ == "__main__":
    app()
