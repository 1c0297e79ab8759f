"""`streamrp2p signer`: make the ticket key, sign tickets, and look what was signed."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.alias_generators import to_camel

from streamrp2p.cli_options import (
    DEFAULT_METRICS_HOST,
    DeploymentOption,
    LogFormatOption,
    MetricsHostOption,
    MetricsPortOption,
    RpcOption,
    TracesEndpointOption,
    explained,
)
from streamrp2p.logs import set_up_logs
from streamrp2p.signatures import address_of
from streamrp2p_signer.folder import Folder, Settings
from streamrp2p_signer.ticket_log import Account, Logged

SHOWN_TICKETS = 10

app = typer.Typer(
    help="Keep a pool's ticket key yourself: sign the tickets that a coordinator asks for, within budgets.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

FolderOption = Annotated[
    Path, typer.Option("--dir", help="The signer's folder: its key, settings and log.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; amounts in base units.")]
DEFAULT_FOLDER = Path("signer")


@app.command()
def init(
    *,
    rpc: RpcOption,
    deployment: DeploymentOption,
    folder: FolderOption = DEFAULT_FOLDER,
    port: Annotated[int, typer.Option(help="Where it will listen.", min=0, max=65535)] = 8500,
    as_json: AsJson = False,
) -> None:
    """Make a ticket key, readable by you alone, and signer.toml, with what the chain says.

    Name the address that is printed as your pool's ticket signer, then give the pool its table in signer.toml.
    """
    from streamrp2p_signer.initialise import initialise  # noqa: PLC0415 - it needs the chain

    made = Folder(folder)
    with explained():
        address = "0x" + initialise(made, rpc, deployment, port).hex()
    if as_json:
        typer.echo(json.dumps({"ticketSigner": address, "settings": str(made.settings)}))
        return
    typer.echo(f"Ticket signer: {address}")
    typer.echo(
        f"Next: streamrp2p pool create --ticket-signer {address} ... (or pool terms), then a table [pools.ID] in "
        f"{made.settings}, then: streamrp2p signer run --dir {folder}"
    )


@app.command()
def run(
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    host: Annotated[
        str | None, typer.Option(help="Where it listens, instead of what signer.toml says.")
    ] = None,
    log_format: LogFormatOption = None,
    metrics_port: MetricsPortOption = None,
    metrics_host: MetricsHostOption = DEFAULT_METRICS_HOST,
    traces_endpoint: TracesEndpointOption = None,
) -> None:
    """Sign tickets for the pools in signer.toml, within their budgets, until SIGTERM or Ctrl-C."""
    from streamrp2p_signer.service import serve  # noqa: PLC0415 - `--help` needs no server

    set_up_logs(log_format)
    with explained():
        serve(Folder(folder), host, metrics_port, metrics_host, traces_endpoint)


@app.command()
def status(*, folder: FolderOption = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Show what each pool has used of its budgets, and the newest tickets. Needs no running signer."""
    from streamrp2p_signer.service import current_account  # noqa: PLC0415

    own = Folder(folder)
    with explained():
        settings = own.load_settings()
        address = "0x" + address_of(own.load_key()).hex()
        account = current_account(own, settings, SHOWN_TICKETS)
    pools = _pools(settings, account)
    if as_json:
        newest = [_ticket(ticket) for ticket in account.newest]
        typer.echo(json.dumps({"ticketSigner": address, "pools": pools, "newestTickets": newest}))
        return
    typer.echo(f"Ticket signer {address}; amounts in base units")
    for pool in pools:
        typer.echo(
            f"pool {pool['poolId']}: epoch {pool['epochWorth']} of {pool['epochBudget']}, day {pool['dayWorth']} of "
            f"{pool['dayBudget']}, open sessions {pool['openSessions']} of {pool['maxOpenSessions']}"
        )
    for ticket in account.newest:
        typer.echo(
            f"at {ticket.admitted_at}: pool {ticket.pool_id}, epoch {ticket.epoch}, {ticket.max_bytes} bytes, session "
            f"0x{ticket.session_id.hex()}"
        )


def _pools(settings: Settings, account: Account) -> list[dict[str, Any]]:
    return [
        {
            "poolId": pool_id,
            "epochWorth": str(account.used[pool_id].epoch_worth),
            "epochBudget": str(pool.epoch_budget),
            "dayWorth": str(account.used[pool_id].day_worth),
            "dayBudget": str(pool.day_budget),
            "openSessions": account.used[pool_id].open_sessions,
            "maxOpenSessions": pool.max_open_sessions,
        }
        for pool_id, pool in sorted(settings.pools.items())
    ]


def _ticket(ticket: Logged) -> dict[str, Any]:
    return {
        to_camel(name): "0x" + value.hex() if isinstance(value, bytes) else value
        for name, value in asdict(ticket).items()
    }
