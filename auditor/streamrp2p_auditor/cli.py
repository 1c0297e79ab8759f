"""`streamrp2p audit`: exit 0 byte-identical, 1 wrong, 2 could not be judged, 3 the same but it may work later."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from streamrp2p.cli_options import (
    DEFAULT_METRICS_HOST,
    EXIT_RETRY,
    EXIT_USAGE,
    BundleOption,
    BundleServerOption,
    DeploymentOption,
    JsonOption,
    KeyFileOption,
    KeystoreOption,
    LogFormatOption,
    MetricsHostOption,
    MetricsPortOption,
    MirrorOption,
    PasswordFileOption,
    RpcOption,
    TracesEndpointOption,
    UsageError,
    parse_address,
    wallet_key,
)
from streamrp2p.errors import StreamrP2PError

if TYPE_CHECKING:
    from streamrp2p_auditor.report import Outcome
    from streamrp2p_auditor.run import Sources

# The commands import chain and audit when they run: `--help` must not wait for web3.

app = typer.Typer(
    help="Recompute epochs from public data alone. Exit codes: 0 byte-identical, 1 wrong, 2 could not be judged, "
    "3 could not be judged now but perhaps later (RPC or mirror down, not committed yet).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

MAX_EPOCH = 2**64 - 1

BatchesOption = Annotated[
    Path | None,
    typer.Option(
        "--batches",
        metavar="DIR",
        help="A node's folder of batches: was anything left out that was acknowledged to it?",
    ),
]


StateOption = Annotated[
    Path,
    typer.Option(
        "--state",
        envvar="STREAMRP2P_AUDIT_STATE",
        metavar="DIR",
        help="The watchman's memory, made if it is not there: verdicts, alerts, transactions.",
    ),
]


@app.command("epoch")
def audit_epoch(
    epoch: Annotated[
        int, typer.Argument(metavar="N", min=0, max=MAX_EPOCH, help="The epoch's number.")
    ],
    *,
    rpc: RpcOption,
    deployment: DeploymentOption,
    coordinator: BundleServerOption = None,
    mirror: MirrorOption = None,
    bundle: BundleOption = None,
    batches: BatchesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge one epoch, given that its parent is right."""
    from streamrp2p_auditor.report import exit_code_of, json_of, renderable  # noqa: PLC0415
    from streamrp2p_auditor.run import audit_one  # noqa: PLC0415

    outcome = audit_one(_sources(rpc, deployment, coordinator, mirror, bundle, batches), epoch)
    if as_json:
        typer.echo(json.dumps(json_of(epoch, outcome)))
    else:
        Console().print(renderable(epoch, outcome))
    raise typer.Exit(exit_code_of(outcome))


@app.command("explain")
def audit_explain(
    epoch: Annotated[
        int, typer.Argument(metavar="N", min=0, max=MAX_EPOCH, help="The epoch's number.")
    ],
    account: Annotated[str, typer.Argument(metavar="ADDRESS", help="The node's address.")],
    *,
    rpc: RpcOption,
    deployment: DeploymentOption,
    coordinator: BundleServerOption = None,
    mirror: MirrorOption = None,
    bundle: BundleOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge one epoch, and explain from its bundle why an account earned so much. Exit codes as of `epoch`."""
    from streamrp2p_auditor.explain import explain_judged  # noqa: PLC0415
    from streamrp2p_auditor.report import exit_code_of, json_of, renderable  # noqa: PLC0415
    from streamrp2p_auditor.run import audit_one  # noqa: PLC0415

    try:
        address = parse_address(account, "ADDRESS")
    except UsageError as error:
        _stop(error, as_json=as_json)
    outcome = audit_one(_sources(rpc, deployment, coordinator, mirror, bundle, None), epoch)
    explained = explain_judged(outcome, address)
    if as_json:
        typer.echo(json.dumps(json_of(epoch, outcome) | (explained.json() if explained else {})))
    else:
        Console().print(renderable(epoch, outcome))
        for line in explained.lines() if explained else ():
            typer.echo(line)
    raise typer.Exit(exit_code_of(outcome))


@app.command("epochs")
def audit_epochs(
    *,
    rpc: RpcOption,
    deployment: DeploymentOption,
    first: Annotated[
        int | None, typer.Option("--from", metavar="N", min=0, max=MAX_EPOCH, help="The first.")
    ] = None,
    last: Annotated[
        int | None,
        typer.Option(
            "--to", metavar="N", min=0, max=MAX_EPOCH, help="The last; the newest if absent."
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="From epoch 0 to the newest.")] = False,
    coordinator: BundleServerOption = None,
    mirror: MirrorOption = None,
    bundle: BundleOption = None,
    batches: BatchesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge many epochs in a row. From epoch 0 on, no parent has to be believed."""
    from streamrp2p_auditor.report import exit_code_of, json_of, renderable  # noqa: PLC0415
    from streamrp2p_auditor.run import audit_many  # noqa: PLC0415

    if every != (first is None and last is None):
        raise typer.BadParameter("name either --all, or --from, --to or both")
    console = Console()
    outcomes: dict[int, Outcome] = {}
    sources = _sources(rpc, deployment, coordinator, mirror, bundle, batches)
    try:
        for epoch, outcome in audit_many(sources, first or 0, last):
            outcomes[epoch] = outcome
            if not as_json:
                console.print(renderable(epoch, outcome))
    except StreamrP2PError as error:
        _stop(error, as_json=as_json)
    if as_json:
        typer.echo(json.dumps({"epochs": [json_of(*item) for item in outcomes.items()]}))
    else:
        console.print(_summary(list(outcomes.values())))
    raise typer.Exit(exit_code_of(*outcomes.values()))


@app.command("watch")
def audit_watch(
    *,
    rpc: RpcOption,
    deployment: DeploymentOption,
    state: StateOption,
    coordinator: BundleServerOption = None,
    mirror: MirrorOption = None,
    bundle: BundleOption = None,
    batches: BatchesOption = None,
    first: Annotated[
        int | None,
        typer.Option(
            "--from",
            metavar="N",
            min=0,
            max=MAX_EPOCH,
            help="Judge final epochs too, from this one on. Without it, what is pending.",
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Judge all that is pending once, and exit.")
    ] = False,
    poll: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0.1, max=3600, help="How often the chain is looked at."
        ),
    ] = 12.0,
    webhook: Annotated[
        str | None,
        typer.Option(
            envvar="STREAMRP2P_WEBHOOK",
            metavar="URL",
            help="POST alerts here as JSON. Better in the environment if it holds a secret.",
        ),
    ] = None,
    challenge: Annotated[
        bool,
        typer.Option(
            "--challenge",
            help="Act: send the cheapest proof against what is wrong, demand what is withheld.",
        ),
    ] = False,
    keystore: KeystoreOption = None,
    password_file: PasswordFileOption = None,
    key_file: KeyFileOption = None,
    max_demand_wei: Annotated[
        int | None,
        typer.Option(
            metavar="WEI",
            min=0,
            help="The most that demands on one header may cost. Without it, 32 bonds.",
        ),
    ] = None,
    withdraw: Annotated[
        bool,
        typer.Option("--withdraw", help="Pay rewards and bonds out to the key's address at once."),
    ] = False,
    metrics_port: MetricsPortOption = None,
    metrics_host: MetricsHostOption = DEFAULT_METRICS_HOST,
    traces_endpoint: TracesEndpointOption = None,
    log_format: LogFormatOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow the chain: judge every epoch, raise an alert when one is wrong, and challenge it.

    Runs until SIGINT or SIGTERM, and logs to standard error: JSON unless that is a terminal.

    Exit codes: 1 anything wrong was seen; else 2 or 3 something could not be judged; else 0.
    """
    from streamrp2p.logs import set_up_logs  # noqa: PLC0415
    from streamrp2p_auditor.watch import WatchOptions, watch  # noqa: PLC0415
    from streamrp2p_auditor.watch_report import (  # noqa: PLC0415
        cases_json,
        cases_renderable,
        exit_code_of_cases,
    )

    set_up_logs(log_format)
    sources = _sources(rpc, deployment, coordinator, mirror, bundle, batches)
    try:
        options = WatchOptions(
            state=state,
            first=first,
            once=once,
            poll_seconds=poll,
            webhook_url=webhook,
            key=_challenger(challenge, keystore, password_file, key_file, max_demand_wei, withdraw),
            max_demand_wei=max_demand_wei,
            withdraw=withdraw,
            metrics_port=metrics_port,
            metrics_host=metrics_host,
            traces_endpoint=traces_endpoint,
        )
        cases = watch(sources, options)
    except StreamrP2PError as error:
        _stop(error, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(cases_json(cases)))
    else:
        Console().print(cases_renderable(cases))
    raise typer.Exit(exit_code_of_cases(cases))


@app.command("prove")
def audit_prove(
    epoch: Annotated[
        int, typer.Argument(metavar="N", min=0, max=MAX_EPOCH, help="The epoch's number.")
    ],
    *,
    rpc: RpcOption,
    deployment: DeploymentOption,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write the transaction here, as JSON."),
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="ADDRESS", help="Who will send it: for the estimate of gas."
        ),
    ] = None,
    demand: Annotated[
        bool,
        typer.Option("--demand", help="Where no source has the bundle: demand its data on chain."),
    ] = False,
    expire: Annotated[
        bool, typer.Option("--expire", help="Void the header for a demand that nobody answered.")
    ] = False,
    coordinator: BundleServerOption = None,
    mirror: MirrorOption = None,
    bundle: BundleOption = None,
    batches: BatchesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge one epoch, and make the transaction that voids it for your wallet to sign.

    Exit codes: 1 a transaction is ready; 0 nothing is wrong; 2 or 3 not judged, or nothing to do (yet).
    """
    from streamrp2p_auditor.prove import ProveOptions, prove  # noqa: PLC0415
    from streamrp2p_auditor.prove_report import (  # noqa: PLC0415
        exit_code_of_proof,
        proof_json,
        proof_renderable,
    )

    sources = _sources(rpc, deployment, coordinator, mirror, bundle, batches)
    try:
        if demand and expire:
            raise UsageError("name either --demand or --expire")
        signer = parse_address(sender, "--from") if sender is not None else None
        proof = prove(sources, epoch, ProveOptions(signer, demand, expire))
        if output is not None and proof.prepared is not None:
            proof.prepared.transaction.save(output)
    except StreamrP2PError as error:
        _stop(error, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(proof_json(epoch, proof)))
    else:
        Console().print(proof_renderable(epoch, proof, output))
    raise typer.Exit(exit_code_of_proof(proof))


def _challenger(
    challenge: bool,
    keystore: Path | None,
    password_file: Path | None,
    key_file: Path | None,
    max_demand_wei: int | None,
    withdraw: bool,
) -> bytes | None:
    """Return the key to challenge with; None without `--challenge`."""
    if challenge:
        return wallet_key(keystore, password_file, key_file)
    if keystore or password_file or key_file or withdraw or max_demand_wei is not None:
        raise UsageError("a wallet and what goes with it need --challenge")
    return None


def _sources(
    rpc: str,
    deployment: Path,
    coordinator: str | None,
    mirrors: Sequence[str] | None,
    bundles: Sequence[Path] | None,
    batches: Path | None,
) -> "Sources":
    from streamrp2p_auditor.run import Sources  # noqa: PLC0415

    servers = (*([coordinator] if coordinator else []), *(mirrors or []))
    return Sources(rpc, deployment, tuple(bundles or ()), servers, batches)


def _summary(outcomes: Sequence["Outcome"]) -> str:
    from streamrp2p_auditor.report import verdict_of  # noqa: PLC0415

    verdicts = [verdict_of(outcome) for outcome in outcomes]
    counts = ", ".join(f"{verdicts.count(name)} {name}" for name in dict.fromkeys(verdicts))
    return f"{len(outcomes)} epochs: {counts or 'nothing is committed yet'}"


def _stop(error: StreamrP2PError, *, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({"error": {"reason": str(error), "retryable": error.retryable}}))
    else:
        typer.echo(f"Error: {error}", err=True)
    raise typer.Exit(EXIT_RETRY if error.retryable else EXIT_USAGE)
