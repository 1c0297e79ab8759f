"""`streamrp2p coordinator`: make a configuration, migrate, run, and look how it goes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from streamrp2p.errors import StreamrP2PError
from streamrp2p.logs import set_up_logs
from streamrp2p_coordinator.assembly import assemble
from streamrp2p_coordinator.database import open_database
from streamrp2p_coordinator.initialise import initialise
from streamrp2p_coordinator.migrate import migrate as migrate_database
from streamrp2p_coordinator.restoration import restore_from_public_data
from streamrp2p_coordinator.server import serve
from streamrp2p_coordinator.settings import load_settings
from streamrp2p_coordinator.status import read_status

EXIT_USAGE = 2
EXIT_RETRY = 3

app = typer.Typer(
    help="Take receipts in, settle epochs, post headers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigPath = Annotated[Path, typer.Option("--config", help="The settings file (TOML).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_CONFIG = Path("coordinator.toml")


@app.command()
def init(
    *,
    rpc_url: Annotated[str, typer.Option(help="The chain's RPC endpoint.")],
    deployment: Annotated[Path, typer.Option(help="The deployment file.")],
    config: ConfigPath = DEFAULT_CONFIG,
    password_file: Annotated[
        Path | None,
        typer.Option(help="A file with the keystores' password; without it, it is asked for."),
    ] = None,
    poster_key_file: Annotated[
        Path | None, typer.Option(help="Use this key (64 hex digits) instead of a new one.")
    ] = None,
    ticket_signer_key_file: Annotated[
        Path | None, typer.Option(help="Use this key (64 hex digits) instead of a new one.")
    ] = None,
    database_url: Annotated[
        str, typer.Option(help="SQLite file or PostgreSQL database.")
    ] = "sqlite:///./coordinator.db",
    port: Annotated[int, typer.Option(help="Where the API listens.")] = 8100,
    as_json: AsJson = False,
) -> None:
    """Write a settings file, with a keystore for the poster and one for the ticket signer beside it."""
    with _reported():
        made = initialise(
            config,
            rpc_url=rpc_url,
            deployment=deployment,
            password_file=password_file,
            poster_key_file=poster_key_file,
            ticket_signer_key_file=ticket_signer_key_file,
            database_url=database_url,
            port=port,
        )
    _show(made, as_json=as_json)


@app.command()
def migrate(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Bring the database's schema up to date; `run` does it as well."""
    with _reported():
        database = open_database(load_settings(config).database_url)
        revision = migrate_database(database)
        database.close()
    _show({"revision": revision}, as_json=as_json)


@app.command()
def run(
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    api_only: Annotated[
        bool, typer.Option(help="Serve the API alone; another process has the scheduler.")
    ] = False,
) -> None:
    """Serve the API and settle epochs, until SIGTERM or Ctrl-C."""
    with _reported():
        settings = load_settings(config)
        set_up_logs(settings.log_format)
        serve(assemble(settings), settings, with_scheduler=not api_only)


@app.command()
def restore(
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    mirror: Annotated[
        str | None, typer.Option(help="Base URL of a coordinator or mirror that has the bundles.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read committed epochs back from chain and bundles, into a database that lost them. Needs no key.

    Records that were acknowledged but not settled yet are in no bundle: those are lost with the database.
    """
    with _reported():
        epochs = restore_from_public_data(load_settings(config), mirror)
    _show({"restoredEpochs": epochs}, as_json=as_json)


@app.command()
def status(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show where chain, epochs, nodes and transactions stand. Needs no key and no running coordinator."""
    with _reported():
        found = read_status(load_settings(config))
    _show(found, as_json=as_json)


@contextmanager
def _reported() -> Iterator[None]:
    """Say an expected failure in one line; exit 2 if something must be changed, 3 if it may pass by itself."""
    try:
        yield
    except StreamrP2PError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(EXIT_RETRY if error.retryable else EXIT_USAGE) from None


def _show(values: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(values))
        return
    width = max(map(len, values), default=0)
    for name, value in values.items():
        typer.echo(f"{name:<{width}}  {value}")
