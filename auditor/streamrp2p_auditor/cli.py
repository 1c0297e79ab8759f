"""`streamrp2p audit`: exit 0 byte-identical, 1 wrong, 2 could not be judged, 3 the same but it may work later."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from streamrp2p.chain import (
    Deployment,
    EpochBookContract,
    RewardPoolsContract,
    connect,
)
from streamrp2p.errors import StreamrP2PError
from streamrp2p.typed_data import Domain
from streamrp2p_auditor.bundles import BundleStore, sources_of
from streamrp2p_auditor.errors import AuditError
from streamrp2p_auditor.facts import Chain
from streamrp2p_auditor.judge import judge
from streamrp2p_auditor.report import (
    EXIT_RETRY,
    EXIT_UNJUDGED,
    Outcome,
    exit_code_of,
    json_of,
    renderable,
    verdict_of,
)

app = typer.Typer(
    help="Recompute epochs from public data alone. Exit codes: 0 byte-identical, 1 wrong, 2 could not be judged, "
    "3 could not be judged now but perhaps later (RPC or mirror down, not committed yet).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

RpcOption = Annotated[
    str,
    typer.Option(
        "--rpc",
        envvar="STREAMRP2P_RPC_URL",
        show_envvar=True,
        help="Ethereum RPC, several separated by commas. One with a key in it belongs into the variable.",
    ),
]
DeploymentOption = Annotated[
    Path, typer.Option("--deployment", help="Deployment file: chain id and addresses.")
]
CoordinatorOption = Annotated[
    str | None,
    typer.Option("--coordinator", help="Base URL of the coordinator: asked for bundles only."),
]
MirrorOption = Annotated[
    list[str] | None,
    typer.Option("--mirror", help="Another server of /v1/bundles/…; may be given again."),
]
BundleOption = Annotated[
    list[Path] | None,
    typer.Option("--bundle", help="Bundle file of the epoch or its parent; may be given again."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("epoch")
def audit_epoch(
    epoch: Annotated[int, typer.Argument(min=0, max=2**64 - 1, help="Epoch number.")],
    *,
    rpc: RpcOption,
    deployment: DeploymentOption,
    coordinator: CoordinatorOption = None,
    mirror: MirrorOption = None,
    bundle: BundleOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge one epoch, given that its parent is right."""
    urls = _urls(coordinator, mirror)
    outcome: Outcome
    try:
        outcome = judge(
            _connect(rpc, deployment), BundleStore(sources_of(bundle or (), urls)), epoch
        )
    except StreamrP2PError as error:
        outcome = error
    if as_json:
        typer.echo(json.dumps(json_of(epoch, outcome)))
    else:
        Console().print(renderable(epoch, outcome))
    sys.exit(exit_code_of(outcome))


@app.command("epochs")
def audit_epochs(
    *,
    rpc: RpcOption,
    deployment: DeploymentOption,
    first: Annotated[int, typer.Option("--from", min=0, help="First epoch.")] = 0,
    last: Annotated[
        int | None,
        typer.Option("--to", min=0, help="Last epoch; the newest committed one if absent."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All epochs from 0 to the newest.")] = False,
    coordinator: CoordinatorOption = None,
    mirror: MirrorOption = None,
    bundle: BundleOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge many epochs in a row. From 0 on, the verdict needs to believe no parent."""
    if every and (first or last is not None):
        raise typer.BadParameter("--all goes without --from and --to")
    outcomes: dict[int, Outcome] = {}
    console = Console()
    try:
        chain = _connect(rpc, deployment)
        store = BundleStore(sources_of(bundle or (), _urls(coordinator, mirror)))
        for epoch, outcome in _judged(chain, store, _range(chain, first, last)):
            outcomes[epoch] = outcome
            if not as_json:
                console.print(renderable(epoch, outcome))
    except StreamrP2PError as error:
        _stop(error, as_json=as_json)
    if as_json:
        reports = [json_of(epoch, outcome) for epoch, outcome in outcomes.items()]
        typer.echo(json.dumps({"epochs": reports}))
    else:
        counts = [verdict_of(outcome) for outcome in outcomes.values()]
        summary = ", ".join(f"{counts.count(name)} {name}" for name in dict.fromkeys(counts))
        console.print(f"{len(outcomes)} epochs: {summary or 'nothing is committed yet'}")
    sys.exit(exit_code_of(*outcomes.values()))


def _connect(rpc: str, deployment_file: Path) -> Chain:
    deployment = Deployment.load(deployment_file)
    web3 = connect(rpc, deployment.chain_id)
    return Chain(
        EpochBookContract(web3, deployment.epoch_book, from_block=deployment.block),
        RewardPoolsContract(web3, deployment.reward_pools, from_block=deployment.block),
        Domain(deployment.chain_id, deployment.epoch_book),
    )


def _urls(coordinator: str | None, mirrors: Sequence[str] | None) -> list[str]:
    return [*([coordinator] if coordinator else []), *(mirrors or [])]


def _range(chain: Chain, first: int, last: int | None) -> range:
    newest = chain.newest_epoch() if last is None else last
    if newest is None:
        return range(0)
    if first > newest:
        raise AuditError(
            f"--from {first} is beyond epoch {newest}, the last to judge; name an earlier one"
        )
    return range(first, newest + 1)


def _judged(chain: Chain, store: BundleStore, epochs: range) -> Iterator[tuple[int, Outcome]]:
    for epoch in epochs:
        try:
            yield epoch, judge(chain, store, epoch)
        except StreamrP2PError as error:
            yield epoch, error


def _stop(error: StreamrP2PError, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"error": {"reason": str(error), "retryable": error.retryable}}))
    else:
        typer.echo(f"Error: {error}", err=True)
    sys.exit(EXIT_RETRY if error.retryable else EXIT_UNJUDGED)
