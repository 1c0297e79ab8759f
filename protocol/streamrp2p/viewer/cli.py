"""`streamrp2p viewer`: watch a stream without a screen, and report."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from streamrp2p.cli_options import UsageError, explained
from streamrp2p.durable import write_atomically
from streamrp2p.logs import set_up_logs

app = typer.Typer(
    help="Watch a stream and sign receipts for it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    # With a single command, typer would drop its name.
    pass


@app.command()
def watch(
    *,
    coordinator: Annotated[
        str, typer.Option(envvar="STREAMRP2P_COORDINATOR", metavar="URL", help="Its base URL.")
    ],
    pool: Annotated[int, typer.Option(metavar="ID", min=0, help="The pool to watch.")],
    seconds: Annotated[float, typer.Option(min=1, help="How long.")] = 30.0,
    startup_seconds: Annotated[
        float, typer.Option(min=0, max=60, help="Media to have before playback begins.")
    ] = 2.0,
    rendition: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Which to watch; the highest that the pool's bytes per second cover, if not given.",
        ),
    ] = None,
    report_to: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Write the report as JSON; - prints it."),
    ] = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log in JSON lines.")] = False,
) -> None:
    """Watch through relays: check every segment, sign receipts, leave relays that fail.

    Nothing is shown; the log on standard error tells what happened, the report what it came to.
    """
    from streamrp2p.viewer import WatchOptions  # noqa: PLC0415 - `--help` needs no network
    from streamrp2p.viewer import watch as watch_stream  # noqa: PLC0415

    set_up_logs("json" if log_json else "console")
    with explained():
        if report_to not in (None, "-") and not Path(report_to).parent.is_dir():
            # Said now, and not when the watch is over and its report lost.
            raise UsageError(f"the folder of {report_to} does not exist: make it first")
        options = WatchOptions(coordinator, pool, seconds, startup_seconds, rendition=rendition)
        report = watch_stream(options, should_stop=_told_to_stop())
        shown = report.shown()
        if report_to == "-":
            typer.echo(json.dumps(shown, indent=2))
            return
        if report_to is not None:
            write_atomically(Path(report_to), json.dumps(shown, indent=2).encode() + b"\n")
    typer.echo(
        f"{report.segments} segments of {report.rendition} in {report.watched_seconds:.1f} s; from relays "
        f"{report.bytes_delivered} bytes, {report.bytes_on_time} of them on time; "
        f"{report.stalls} stalls of {report.stalled_seconds:.1f} s together"
    )
    for part in report.sources:
        who = "the origin" if part.node is None else f"relay 0x{part.node.hex()}"
        left = ", ".join(str(each.reason) for each in part.departures) or "not left"
        typer.echo(
            f"  {who}: {part.segments} segments, {part.bytes_delivered} bytes, "
            f"{part.receipts_accepted} receipts; {left}"
        )


def _told_to_stop() -> Callable[[], bool]:
    """Let SIGTERM and Ctrl-C end the watch early, with its report; a second one ends it at once."""
    told: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        told.append(number)
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    return lambda: bool(told)
