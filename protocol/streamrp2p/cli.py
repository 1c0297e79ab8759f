"""The command `streamrp2p`. Its sub-commands come from entry points, so the SDK never imports an actor."""

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points, version
from typing import Annotated

import typer

from streamrp2p.cli_options import exit_code_of
from streamrp2p.errors import StreamrP2PError

ENTRY_POINT_GROUP = "streamrp2p.commands"

EXIT_USAGE = 2


@dataclass(frozen=True, slots=True)
class CommandNote:
    """What the root help says of a sub-command without importing it."""

    summary: str
    extra: str | None = None
    """The extra that its packages come with; None if the SDK's own suffice."""


NOTES = {
    "demo": CommandNote("Run every actor on this machine, with a local chain.", "demo"),
    "pool": CommandNote("Create a pool, fund it, set its terms, close it, take back what is left."),
    "origin": CommandNote("Publish a stream: take RTMP, sign its segments.", "origin"),
    "signer": CommandNote("Keep a pool's ticket key, and sign within budgets.", "signer"),
    "node": CommandNote("Relay streams and earn for it.", "node"),
    "viewer": CommandNote("Watch a stream and sign receipts for it."),
    "coordinator": CommandNote("Take receipts in, settle epochs, post headers.", "coordinator"),
    "audit": CommandNote(
        "Recompute an epoch from public data and name the first difference.", "auditor"
    ),
}
"""In the order in which the help lists them."""


def build_app() -> typer.Typer:
    """Make the root command, with one sub-command for each entry point that is installed."""
    app = typer.Typer(
        name="streamrp2p",
        help="Peer-to-peer live streaming whose relays are paid by proof.",
        no_args_is_help=True,
        # A traceback with the values of local variables could print a private key.
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    for entry_point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=_listing_order):
        _add(app, entry_point)
    return app


def main() -> None:
    """Run the command line."""
    build_app()()


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"streamrp2p {version('streamrp2p')}")
        raise typer.Exit


def _root(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version.",
            is_eager=True,
            callback=_print_version,
        ),
    ] = False,
) -> None:
    pass


def _listing_order(entry_point: EntryPoint) -> tuple[int, str]:
    names = list(NOTES)
    name = entry_point.name
    return (names.index(name) if name in NOTES else len(names), name)


def _add(app: typer.Typer, entry_point: EntryPoint) -> None:
    note = NOTES.get(entry_point.name, CommandNote(f"From {entry_point.value.partition(':')[0]}."))

    @app.command(
        entry_point.name,
        help=note.summary,
        add_help_option=False,
        # Everything behind its name, `--help` too, is the sub-command's own to read.
        context_settings={
            "allow_extra_args": True,
            "allow_interspersed_args": False,
            "ignore_unknown_options": True,
        },
    )
    def run(context: typer.Context) -> None:
        try:
            command = typer.main.get_command(entry_point.load())
            command.main(args=context.args, prog_name=context.command_path)
        except StreamrP2PError as error:
            _stop(f"Error: {error}", exit_code_of(error))
        except ModuleNotFoundError as error:
            _explain(error, note)


def _explain(error: ModuleNotFoundError, note: CommandNote) -> None:
    if (error.name or "").startswith("streamrp2p"):
        _stop(f"This command is not part of this installation: {error}.", EXIT_USAGE)
    if note.extra is None:
        raise error
    _stop(
        f"This command needs the extra [{note.extra}]. "
        f'Install it, in the checkout: pip install ".[{note.extra}]"',
        EXIT_USAGE,
    )


def _stop(message: str, exit_code: int) -> None:
    typer.echo(message, err=True)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
