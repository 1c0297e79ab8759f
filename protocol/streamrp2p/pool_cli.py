"""`streamrp2p pool`: how a streamer creates, funds, changes, closes and refunds a pool."""

from typing import TYPE_CHECKING, Annotated

import typer

from streamrp2p.cli_options import (
    DeploymentOption,
    JsonOption,
    KeyFileOption,
    KeystoreOption,
    PasswordFileOption,
    RpcOption,
    UsageError,
    confirm,
    explained,
    parse_address,
    print_result,
    wallet_key,
)

if TYPE_CHECKING:
    from streamrp2p.pool_desk import Desk

app = typer.Typer(
    help="Fund a pool, set its terms, close it. Amounts are whole tokens, such as 12.5.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

PoolOption = Annotated[
    int, typer.Option("--pool", metavar="ID", min=1, max=(1 << 32) - 1, help="The pool.")
]
BaseUnitsOption = Annotated[
    bool, typer.Option("--base-units", help="Amounts are in the token's smallest unit.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
NoPermitOption = Annotated[
    bool, typer.Option("--no-permit", help="Approve and deposit in two transactions.")
]
RateOption = Annotated[
    int | None,
    typer.Option(
        "--max-bytes-per-second",
        min=1,
        max=(1 << 32) - 1,
        help="The most that one viewer is paid for: the stream's bit rate / 8, and a third more.",
    ),
]
SignerHelp = (
    "Admits viewers: the coordinator's ticket signer (its /v1/config tells), or a key of your own."
)


@app.command()
def create(
    rpc: RpcOption,
    deployment: DeploymentOption,
    *,
    price_per_gb: Annotated[str, typer.Option(help="What 10^9 bytes on time are worth.")],
    epoch_budget: Annotated[str, typer.Option(help="The most that one epoch may spend.")],
    origin_key: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Signs the stream: `origin init`.")
    ],
    origin_url: Annotated[str, typer.Option(help="Where nodes fetch the stream.")],
    max_bytes_per_second: RateOption,
    ticket_signer: Annotated[str, typer.Option(metavar="ADDRESS", help=SignerHelp)],
    token: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Pays in this token, not the deployment's."),
    ] = None,
    amount: Annotated[str | None, typer.Option(help="Deposit this at once.")] = None,
    base_units: BaseUnitsOption = False,
    no_permit: NoPermitOption = False,
    keystore: KeystoreOption = None,
    password_file: PasswordFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a pool, open from the current epoch on. You are its streamer for ever."""
    with explained():
        desk = _desk(rpc, deployment)
        key = wallet_key(keystore, password_file, key_file)
        made = desk.create(
            key,
            token=parse_address(token, "--token") if token else None,
            price_per_gb=price_per_gb,
            epoch_budget=epoch_budget,
            ticket_signer=parse_address(ticket_signer, "--ticket-signer"),
            origin_key=parse_address(origin_key, "--origin-key"),
            origin_url=origin_url,
            max_bytes_per_second=max_bytes_per_second or 0,
            amount=amount,
            base_units=base_units,
            use_permit=not no_permit,
        )
        print_result(made.shown, made.lines, as_json=as_json)


@app.command()
def deposit(
    rpc: RpcOption,
    deployment: DeploymentOption,
    pool: PoolOption,
    amount: Annotated[str, typer.Option(help="How much.")],
    *,
    base_units: BaseUnitsOption = False,
    no_permit: NoPermitOption = False,
    keystore: KeystoreOption = None,
    password_file: PasswordFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fund a pool. Anyone may; what nodes do not earn goes back to the streamer, not to you."""
    with explained():
        desk = _desk(rpc, deployment)
        key = wallet_key(keystore, password_file, key_file)
        made = desk.deposit(key, pool, amount, base_units=base_units, use_permit=not no_permit)
        print_result(made.shown, made.lines, as_json=as_json)


@app.command()
def terms(
    rpc: RpcOption,
    deployment: DeploymentOption,
    pool: PoolOption,
    *,
    price_per_gb: Annotated[
        str | None, typer.Option(help="What 10^9 bytes on time are worth.")
    ] = None,
    epoch_budget: Annotated[
        str | None, typer.Option(help="The most that one epoch may spend.")
    ] = None,
    ticket_signer: Annotated[str | None, typer.Option(metavar="ADDRESS", help=SignerHelp)] = None,
    from_epoch: Annotated[
        int | None, typer.Option(min=1, help="A coming epoch; without it, the next.")
    ] = None,
    base_units: BaseUnitsOption = False,
    keystore: KeystoreOption = None,
    password_file: PasswordFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the terms from a coming epoch on. What you leave out stays as it is."""
    with explained():
        if (price_per_gb, epoch_budget, ticket_signer) == (None, None, None):
            raise UsageError("name at least one of --price-per-gb, --epoch-budget, --ticket-signer")
        desk = _desk(rpc, deployment)
        key = wallet_key(keystore, password_file, key_file)
        made = desk.change_terms(
            key,
            pool,
            price_per_gb=price_per_gb,
            epoch_budget=epoch_budget,
            ticket_signer=parse_address(ticket_signer, "--ticket-signer")
            if ticket_signer
            else None,
            from_epoch=from_epoch,
            base_units=base_units,
        )
        print_result(made.shown, made.lines, as_json=as_json)


@app.command()
def stream(
    rpc: RpcOption,
    deployment: DeploymentOption,
    pool: PoolOption,
    *,
    origin_key: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Signs the stream.")
    ] = None,
    origin_url: Annotated[str | None, typer.Option(help="Where nodes fetch the stream.")] = None,
    max_bytes_per_second: RateOption = None,
    keystore: KeystoreOption = None,
    password_file: PasswordFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the stream record at once. What you leave out stays as it is."""
    with explained():
        if (origin_key, origin_url, max_bytes_per_second) == (None, None, None):
            raise UsageError(
                "name at least one of --origin-key, --origin-url, --max-bytes-per-second"
            )
        desk = _desk(rpc, deployment)
        key = wallet_key(keystore, password_file, key_file)
        made = desk.change_stream(
            key,
            pool,
            origin_key=parse_address(origin_key, "--origin-key") if origin_key else None,
            origin_url=origin_url,
            max_bytes_per_second=max_bytes_per_second,
        )
        print_result(made.shown, made.lines, as_json=as_json)


@app.command()
def close(
    rpc: RpcOption,
    deployment: DeploymentOption,
    pool: PoolOption,
    *,
    yes: YesOption = False,
    keystore: KeystoreOption = None,
    password_file: PasswordFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close a pool from the next epoch on, for ever. What was earned stays claimable."""
    with explained():
        desk = _desk(rpc, deployment)
        key = wallet_key(keystore, password_file, key_file)
        confirm(f"Close pool {pool} for ever?", yes=yes)
        made = desk.close(key, pool)
        print_result(made.shown, made.lines, as_json=as_json)


@app.command()
def refund(
    rpc: RpcOption,
    deployment: DeploymentOption,
    pool: PoolOption,
    coordinator: Annotated[
        str, typer.Option(metavar="URL", help="Where the public bundle of the last open epoch is.")
    ],
    *,
    to: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Without it, to you.")] = None,
    yes: YesOption = False,
    keystore: KeystoreOption = None,
    password_file: PasswordFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back what no node earned, once the last epoch of a closed pool is final."""
    with explained():
        desk = _desk(rpc, deployment)
        key = wallet_key(keystore, password_file, key_file)
        receiver = parse_address(to, "--to") if to else None
        ready = desk.prepare_refund(key, pool, coordinator, receiver)
        confirm(f"{ready.question}?", yes=yes)
        made = desk.refund(key, ready)
        print_result(made.shown, made.lines, as_json=as_json)


@app.command()
def show(
    rpc: RpcOption,
    deployment: DeploymentOption,
    pool: PoolOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show a pool as the chain has it."""
    with explained():
        found = _desk(rpc, deployment).show(pool)
        print_result(found.shown, found.lines, as_json=as_json)


@app.command("list")
def list_pools(
    rpc: RpcOption,
    deployment: DeploymentOption,
    *,
    streamer: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Only the pools of this streamer.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the pools."""
    with explained():
        owner = parse_address(streamer, "--streamer") if streamer else None
        found = _desk(rpc, deployment).list_all(owner)
        print_result(found.shown, found.lines, as_json=as_json)


def _desk(rpc: str, deployment: "DeploymentOption") -> "Desk":
    # The chain's package takes a second to import: `--help` does without.
    from streamrp2p.pool_desk import Desk  # noqa: PLC0415

    return Desk.open(rpc, deployment)
