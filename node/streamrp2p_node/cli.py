"""`streamrp2p node`: each command reads its options and calls one function."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from streamrp2p.cli_options import (
    DEFAULT_METRICS_HOST,
    BundleOption,
    BundleServerOption,
    DeploymentOption,
    JsonOption,
    LogFormatOption,
    MetricsHostOption,
    MetricsPortOption,
    MirrorOption,
    PasswordFileOption,
    RpcOption,
    TracesEndpointOption,
    explained,
    parse_address,
    print_result,
)
from streamrp2p.keys import (
    KEYRING_SERVICE,
    create_keystore,
    keystore_address,
    load_keystore,
    read_password,
)
from streamrp2p.logs import set_up_logs
from streamrp2p.numbers import BYTES_PER_GB, Address
from streamrp2p_node.errors import SettingsError
from streamrp2p_node.folder import Folder
from streamrp2p_node.schedule import Schedule
from streamrp2p_node.settings import (
    DEFAULT_CACHE_BYTES,
    DEFAULT_CREDIT_BYTES,
    DEFAULT_DRAIN_SECONDS,
    DEFAULT_MAX_CONNECTIONS,
    DEFAULT_MAX_CONNECTIONS_PER_ADDRESS,
    DEFAULT_SUBMIT_SECONDS,
    ORIGIN,
    Settings,
    check_endpoint,
    check_tls,
    parse_router,
    parse_time_zone,
)

MAX_MBIT = 1_000_000
MAX_MONTHLY_GB = 1_000_000_000
"""Beyond these a number is a slip; without the options there is no bound."""
SESSION_ID_LENGTH = 32

app = typer.Typer(
    help="Relay streams and earn for it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DirOption = Annotated[
    Path,
    typer.Option(
        "--dir",
        envvar="STREAMRP2P_NODE_DIR",
        metavar="DIR",
        help="The node's folder: its key, journals, evidence and cache.",
    ),
]
CoordinatorOption = Annotated[
    str,
    typer.Option(
        "--coordinator",
        envvar="STREAMRP2P_COORDINATOR",
        metavar="URL",
        help="The coordinator's base URL.",
    ),
]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        metavar="URL",
        help="Where viewers reach this node, without a trailing slash. With --upnp, by default the router's address.",
    ),
]
TlsCertOption = Annotated[
    Path | None,
    typer.Option(
        "--tls-cert",
        metavar="FILE",
        help="Serve https with this certificate: PEM, its authorities' after it. Read again when it changes.",
    ),
]
TlsKeyOption = Annotated[
    Path | None,
    typer.Option("--tls-key", metavar="FILE", help="The certificate's key: PEM, without password."),
]
UpnpOption = Annotated[
    bool,
    typer.Option("--upnp", help="Let the router map the port (UPnP); needs --host 0.0.0.0."),
]
UpnpRouterOption = Annotated[
    str | None,
    typer.Option(
        "--upnp-router",
        metavar="ADDRESS[:PORT]",
        help="The router's IPv4 address, where --upnp finds none by itself.",
    ),
]
KeyringOption = Annotated[
    bool,
    typer.Option(
        "--keyring",
        help=f"Take the password from the system's keyring: service {KEYRING_SERVICE}, "
        "user: the absolute path of --dir.",
    ),
]


@app.command()
def init(
    directory: DirOption,
    *,
    password_file: PasswordFileOption = None,
    keyring: KeyringOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the node's folder and its hot key, and print its address."""
    with explained():
        folder = Folder(directory)
        if folder.keystore.exists():
            raise SettingsError(
                f"{folder.keystore} exists already; move it away yourself if you are sure, or name another --dir"
            )
        folder.make()
        password = _password(directory, password_file, keyring, "New password: ", confirm=True)
        address = "0x" + create_keystore(folder.keystore, password).hex()
        print_result(
            {"node": address, "keystore": str(folder.keystore)},
            {
                "Node": address,
                "Keystore": folder.keystore,
                "Next": "back the keystore up; then: streamrp2p node run --help",
            },
            as_json=as_json,
        )


@app.command()
def run(
    directory: DirOption,
    coordinator: CoordinatorOption,
    *,
    endpoint: EndpointOption = None,
    upnp: UpnpOption = False,
    upnp_router: UpnpRouterOption = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8200,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    rpc: Annotated[
        str | None,
        typer.Option(
            envvar="STREAMRP2P_RPC",
            metavar="URL",
            help="Check the coordinator's poster and epochs against this chain.",
        ),
    ] = None,
    payout: Annotated[
        str | None,
        typer.Option(
            envvar="STREAMRP2P_PAYOUT",
            metavar="ADDRESS",
            help="Where claims are paid: a wallet of yours that is not on this machine. Without it, what is "
            "registered; of a new node its own address.",
        ),
    ] = None,
    cache_bytes: Annotated[
        int, typer.Option(min=0, help="The most that cached segments take on disk.")
    ] = DEFAULT_CACHE_BYTES,
    credit_bytes: Annotated[
        int, typer.Option(min=1, help="The most that a viewer may owe a receipt for.")
    ] = DEFAULT_CREDIT_BYTES,
    submit_seconds: Annotated[
        float, typer.Option(min=0.1, help="How often receipts are handed in.")
    ] = DEFAULT_SUBMIT_SECONDS,
    max_connections: Annotated[
        int, typer.Option(min=1, help="The most connections that are open at once.")
    ] = DEFAULT_MAX_CONNECTIONS,
    max_connections_per_address: Annotated[
        int,
        typer.Option(min=0, help="The most of one address but loopback; 0: no bound of its own."),
    ] = DEFAULT_MAX_CONNECTIONS_PER_ADDRESS,
    upstream: Annotated[
        str,
        typer.Option(
            metavar="origin|relays",
            help="Where streams come from: each pool's origin, or other relays, which are paid for it, "
            "with the origin as the last resort.",
        ),
    ] = ORIGIN,
    prefetch: Annotated[
        bool,
        typer.Option(help="Fetch new parts of what is watched before the first viewer asks."),
    ] = True,
    max_mbit: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=MAX_MBIT, help="The bandwidth, in Mbit/s, that all viewers share."
        ),
    ] = None,
    monthly_gb: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=MAX_MONTHLY_GB,
            help="How many GB viewers may get in a calendar month (UTC).",
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="When viewers are served, such as 'mon-fri 18:00-23:30, sat-sun 00:00-24:00'."
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(help="Of --schedule, such as Europe/Berlin; this machine's by default."),
    ] = None,
    drain_seconds: Annotated[
        float,
        typer.Option(
            min=0, help="How long those who watch are served on after SIGTERM; 0 stops at once."
        ),
    ] = DEFAULT_DRAIN_SECONDS,
    notify_urls_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Tell these receivers when something is wrong: apprise URLs, one a line, mode 600.",
        ),
    ] = None,
    metrics_port: MetricsPortOption = None,
    metrics_host: MetricsHostOption = DEFAULT_METRICS_HOST,
    traces_endpoint: TracesEndpointOption = None,
    log_format: LogFormatOption = None,
    password_file: PasswordFileOption = None,
    keyring: KeyringOption = False,
) -> None:
    """Run the node until SIGTERM or Ctrl-C; a second one waits for no viewer."""
    with explained():
        # Here and not above: `--help` must not wait for a server's imports.
        from streamrp2p_node import daemon  # noqa: PLC0415

        settings = Settings(
            folder=directory,
            coordinator_url=coordinator.rstrip("/"),
            endpoint=endpoint,
            upnp=upnp or upnp_router is not None,
            upnp_target=parse_router(upnp_router) if upnp_router else None,
            host=host,
            port=port,
            tls_cert=tls_cert,
            tls_key=tls_key,
            rpc_url=rpc,
            payout=parse_address(payout, "--payout") if payout else None,
            cache_bytes=cache_bytes,
            credit_bytes=credit_bytes,
            submit_seconds=submit_seconds,
            max_connections=max_connections,
            max_connections_per_address=max_connections_per_address,
            upstream=upstream,
            prefetches=prefetch,
            max_bytes_per_second=None if max_mbit is None else round(max_mbit * 125_000),
            max_month_bytes=None if monthly_gb is None else round(monthly_gb * BYTES_PER_GB),
            schedule=None if schedule is None else Schedule.parse(schedule),
            time_zone=None if time_zone is None else parse_time_zone(time_zone),
            drain_seconds=drain_seconds,
            notify_urls_file=notify_urls_file,
            metrics_port=metrics_port,
            metrics_host=metrics_host,
            traces_endpoint=traces_endpoint,
        )
        settings.check()
        key = _key(directory, password_file, keyring)
        set_up_logs(log_format)
        daemon.run(settings, key)


@app.command()
def check(
    directory: DirOption,
    coordinator: CoordinatorOption,
    *,
    endpoint: EndpointOption = None,
    upnp: UpnpOption = False,
    upnp_router: UpnpRouterOption = None,
    host: Annotated[str, typer.Option(help="The node's --host.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The node's --port.")] = 8200,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    cache_bytes: Annotated[
        int, typer.Option(min=0, help="The node's --cache-bytes.")
    ] = DEFAULT_CACHE_BYTES,
    password_file: PasswordFileOption = None,
    keyring: KeyringOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check whether viewers can reach this node, running or not, and print what to fix, in order.

    Takes those options of `node run` that decide it; give them the same values.
    Exit codes: 0 reachable, 1 something must be fixed, 2 wrong options, 3 cannot be told now.
    """
    with explained():
        from streamrp2p_node import check_command  # noqa: PLC0415 - as in run
        from streamrp2p_node.port_mapping import PortMapper  # noqa: PLC0415

        settings = Settings(
            folder=directory,
            coordinator_url=coordinator.rstrip("/"),
            endpoint=endpoint,
            host=host,
            port=port,
            upnp=upnp or upnp_router is not None,
            upnp_target=parse_router(upnp_router) if upnp_router else None,
            cache_bytes=cache_bytes,
            tls_cert=tls_cert,
            tls_key=tls_key,
        )
        if endpoint is not None:
            check_endpoint(endpoint)
        check_tls(tls_cert, tls_key)
        mapper: PortMapper | None = None
        if settings.upnp:
            from streamrp2p_node.upnp_mapper import mapper_for  # noqa: PLC0415

            mapper = mapper_for(settings)
        key = _key(directory, password_file, keyring)
        _set_up_quiet_logs()
        raise typer.Exit(check_command.check(settings, key, mapper, as_json=as_json))


@app.command()
def status(
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", envvar="STREAMRP2P_NODE_DIR", metavar="DIR", help="The running node's folder."
        ),
    ] = None,
    *,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Ask a node elsewhere.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a running node: sessions, unpaid bytes, receipts, epoch, cache."""
    with explained():
        from streamrp2p_node import status_command  # noqa: PLC0415 - as in run

        status_command.status(None if url else directory, url, as_json=as_json)


@app.command()
def claim(
    directory: DirOption,
    coordinator: CoordinatorOption,
    rpc: RpcOption,
    *,
    deployment: Annotated[
        Path | None,
        typer.Option(
            "--deployment",
            envvar="STREAMRP2P_DEPLOYMENT",
            metavar="FILE",
            help="Check the coordinator's contract addresses against this deployment file.",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Pay there, this once, instead of to the payout address."
        ),
    ] = None,
    pool: Annotated[
        list[int] | None,
        typer.Option(
            metavar="ID",
            min=1,
            help="Claim from this pool alone; may be given again. For when another pool's token fails.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Send it. Without, nothing is sent.")] = False,
    traces_endpoint: TracesEndpointOption = None,
    password_file: PasswordFileOption = None,
    keyring: KeyringOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the node can claim and what that costs; with --yes, claim it. The node's key pays the fee."""
    with explained():
        from streamrp2p.chain import Deployment  # noqa: PLC0415 - as in run
        from streamrp2p_node import claim_command  # noqa: PLC0415

        options = claim_command.ClaimOptions(
            coordinator_url=coordinator.rstrip("/"),
            rpc_url=rpc,
            deployment=Deployment.load(deployment) if deployment else None,
            to=parse_address(to, "--to") if to else None,
            only_pools=frozenset(pool or ()),
            is_confirmed=yes,
            traces_endpoint=traces_endpoint,
            as_json=as_json,
        )
        _set_up_quiet_logs()
        claim_command.claim(
            options, _address(directory), lambda: _key(directory, password_file, keyring)
        )


@app.command()
def explain(
    coordinator: CoordinatorOption,
    *,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", envvar="STREAMRP2P_NODE_DIR", metavar="DIR", help="The node's folder."
        ),
    ] = None,
    account: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of another node than that of --dir.")
    ] = None,
    epoch: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, max=2**63 - 1, help="The epoch; without it, the present one."
        ),
    ] = None,
    rpc: Annotated[
        str | None,
        typer.Option(
            envvar="STREAMRP2P_RPC",
            metavar="URL",
            help="Ask this chain for the tokens' names, to show amounts in whole tokens too.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Explain why the node earns so much in an epoch, step by step, and show each refusal. Needs no password.

    The steps are computed anew here; until the epoch is settled they are an estimate.
    """
    with explained():
        from streamrp2p_node import explain_command  # noqa: PLC0415 - as in run

        if account is None and directory is None:
            raise SettingsError("name the node with either --dir or --account")
        options = explain_command.ExplainOptions(
            coordinator_url=coordinator.rstrip("/"),
            account=parse_address(account, "--account")
            if account
            else _address(directory or Path()),
            epoch=epoch,
            rpc_url=rpc,
            as_json=as_json,
        )
        explain_command.explain(options)


@app.command()
def appeal(
    directory: DirOption,
    coordinator: CoordinatorOption,
    *,
    epoch: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, max=2**63 - 1, help="Object to refusals of this epoch."),
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(metavar="0x…", help="To those of this session alone; else to all."),
    ] = None,
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why, for the coordinator's operator.")
    ] = None,
    password_file: PasswordFileOption = None,
    keyring: KeyringOption = False,
    as_json: JsonOption = False,
) -> None:
    """Object to refusals, signed by the node's key; without --epoch, show the node's appeals and the answers.

    To each refusal there is one appeal, of which the first stands. `streamrp2p node explain` lists the refusals.
    """
    with explained():
        from streamrp2p_node import appeal_command  # noqa: PLC0415 - as in run

        url, node = coordinator.rstrip("/"), _address(directory)
        if epoch is None:
            if session is not None or text is not None:
                raise SettingsError("name the epoch of the refusals with --epoch")
            appeal_command.list_appeals(url, node, as_json=as_json)
            return
        if not text:
            raise SettingsError("say why with --text")
        options = appeal_command.AppealOptions(
            coordinator_url=url,
            epoch=epoch,
            session_id=_session(session) if session else None,
            text=text,
            as_json=as_json,
        )
        appeal_command.appeal(options, node, lambda: _key(directory, password_file, keyring))


@app.command("prove-omission")
def prove_omission(
    directory: DirOption,
    rpc: RpcOption,
    deployment: DeploymentOption,
    epoch: Annotated[
        int | None,
        typer.Argument(
            metavar="EPOCH",
            min=0,
            max=2**64 - 1,
            help="The epoch; without it, every one that is pending.",
        ),
    ] = None,
    *,
    coordinator: BundleServerOption = None,
    mirror: MirrorOption = None,
    bundle: BundleOption = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the transaction here, for any wallet to send."),
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send it, paid by the node's key, and get the reward.")
    ] = False,
    password_file: PasswordFileOption = None,
    keyring: KeyringOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look whether records that were acknowledged to this node are left out of an epoch, and prove it on chain.

    Exit codes: 0 nothing left out, 1 left out, 2 cannot be told, 3 cannot be told now but perhaps later.
    """
    with explained():
        from streamrp2p.chain import Deployment  # noqa: PLC0415 - as in run
        from streamrp2p_node import omission_command  # noqa: PLC0415

        options = omission_command.OmissionOptions(
            epoch=epoch,
            batches=Folder(directory).batches,
            rpc_url=rpc,
            deployment=Deployment.load(deployment),
            servers=(*([coordinator] if coordinator else []), *(mirror or [])),
            bundle_files=tuple(bundle or ()),
            output=output,
            is_sent=send,
            as_json=as_json,
        )
        code = omission_command.prove_omission(
            options, _address(directory), lambda: _key(directory, password_file, keyring)
        )
        raise typer.Exit(code)


def _set_up_quiet_logs() -> None:
    """Log for a command that answers and ends: what matters is in its result."""
    set_up_logs()
    logging.getLogger().setLevel(logging.WARNING)


def _session(text: str) -> bytes:
    try:
        session_id = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        session_id = b""
    if len(session_id) != SESSION_ID_LENGTH:
        raise SettingsError("--session must be 0x and 64 hex digits")
    return session_id


def _keystore(directory: Path) -> Path:
    keystore = Folder(directory).keystore
    if not keystore.exists():
        raise SettingsError(
            f"there is no key in {directory}; make one with: streamrp2p node init --dir {directory}"
        )
    return keystore


def _address(directory: Path) -> Address:
    """Return the node's address without opening its key: looking needs no password."""
    keystore = _keystore(directory)
    address = keystore_address(keystore)
    if address is None:
        raise SettingsError(f"{keystore} names no address; restore it from a backup")
    return address


def _key(directory: Path, password_file: Path | None, keyring: bool) -> bytes:
    keystore = _keystore(directory)
    password = _password(directory, password_file, keyring, f"Password of {keystore}: ")
    return load_keystore(keystore, password)


def _password(
    directory: Path, file: Path | None, keyring: bool, prompt: str, *, confirm: bool = False
) -> str:
    user = str(directory.absolute()) if keyring else None
    return read_password(file=file, keyring_user=user, prompt=prompt, confirm=confirm)
