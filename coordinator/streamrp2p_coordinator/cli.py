"""`streamrp2p coordinator`: make a configuration, migrate, run, and look how it goes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from streamrp2p.errors import StreamrP2PError
from streamrp2p.logs import set_up_logs
from streamrp2p_coordinator.assembly import assemble
from streamrp2p_coordinator.backup import STALE, Backup
from streamrp2p_coordinator.database import open_database
from streamrp2p_coordinator.doctor import examine
from streamrp2p_coordinator.errors import ConfigurationError
from streamrp2p_coordinator.findings import exit_code
from streamrp2p_coordinator.initialise import initialise
from streamrp2p_coordinator.migrate import migrate as migrate_database
from streamrp2p_coordinator.probing.shown import read_probes
from streamrp2p_coordinator.restoration import (
    back_up,
    restore_from_backup,
    restore_from_public_data,
)
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
    deployment: Annotated[
        Path,
        typer.Option(
            help="The deployment file; where it is missing, you deploy for the new poster next."
        ),
    ],
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
    bundle_dir: Annotated[str, typer.Option(help="The folder of bundles.")] = "bundles",
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
            bundle_dir=bundle_dir,
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
def backup(
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    to: Annotated[Path, typer.Option(help="A new folder for the backup.")],
    as_json: AsJson = False,
) -> None:
    """Copy the database of one instant and its bundles, and check the copy. The coordinator may run meanwhile.

    PostgreSQL's is made with pg_dump, which must be installed. The keystores are not in it.
    """
    with _reported():
        made = back_up(load_settings(config), to)
    _show({"backup": str(to), **_summary(made)}, as_json=as_json)
    typer.echo(f"Keep in mind: {STALE}.", err=True)


@app.command()
def restore(
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    mirror: Annotated[
        str | None, typer.Option(help="Base URL of a coordinator or mirror that has the bundles.")
    ] = None,
    from_backup: Annotated[
        Path | None,
        typer.Option("--backup", help="A folder that `backup` made; without it, public data."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fill an empty database from a backup, or read committed epochs back from chain and bundles. Needs no key.

    Records that were acknowledged after the backup was made, or are not settled yet, are in no backup or bundle: those
    are lost with the database, and to commit an epoch without them costs the bond.
    """
    with _reported():
        settings = load_settings(config)
        if from_backup is None:
            shown: dict[str, Any] = {"restoredEpochs": restore_from_public_data(settings, mirror)}
        elif mirror is not None:
            raise ConfigurationError(
                "a backup has its bundles: give --backup or --mirror, not both"
            )
        else:
            restored = restore_from_backup(settings, from_backup)
            shown = _summary(restored)
    _show(shown, as_json=as_json)
    if from_backup is not None:
        typer.echo(
            f"WARNING: this database is as of {shown['takenAt']}: {STALE}. If the coordinator ran after that, let the "
            "epochs that had begun be posted by another poster: see the guide before you start this one.",
            err=True,
        )


@app.command()
def status(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show where chain, epochs, nodes and transactions stand. Changes nothing, needs no key and no coordinator."""
    with _reported():
        found = read_status(load_settings(config))
    _show(found, as_json=as_json)


@app.command()
def probes(
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    node: Annotated[str | None, typer.Option(help="Of this node (0x address) alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what hidden viewers got from the nodes. Changes nothing; needs no running coordinator."""
    with _reported():
        found = read_probes(load_settings(config), node, limit)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for probe in found:
        typer.echo(
            f"{probe['startedAt']}  {probe['node']}  pool {probe['poolId']}  {probe['outcome']:<8}  "
            f"{probe['seconds']} s  {probe['bytes']} bytes  {json.dumps(probe['evidence'])}"
        )


@app.command()
def doctor(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Look at all settings and what they name, and say what to do. Changes nothing; needs no running coordinator.

    The exit code is 0 when nothing failed, 2 when something must be changed, 3 when it may pass by itself.
    """
    findings = examine(config)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        width = max(len(finding.check) for finding in findings)
        for found in findings:
            typer.echo(f"{found.level:<4}  {found.check:<{width}}  {found.advice}")
    raise typer.Exit(exit_code(findings))


@contextmanager
def _reported() -> Iterator[None]:
    """Say an expected failure in one line; exit 2 if something must be changed, 3 if it may pass by itself."""
    try:
        yield
    except StreamrP2PError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(EXIT_RETRY if error.retryable else EXIT_USAGE) from None


def _summary(backup: Backup) -> dict[str, Any]:
    return {
        "takenAt": datetime.fromtimestamp(backup.taken_at, UTC).isoformat(),
        "revision": backup.revision,
        "settledEpochs": backup.settled,
        "bundles": len(backup.bundles),
        "databaseBytes": backup.database_bytes,
    }


def _show(values: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(values))
        return
    width = max(map(len, values), default=0)
    for name, value in values.items():
        typer.echo(f"{name:<{width}}  {value}")
