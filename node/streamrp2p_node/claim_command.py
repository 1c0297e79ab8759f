"""`streamrp2p node claim`: show what a claim pays, and with consent send it."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import typer
from web3 import Web3

from streamrp2p import api
from streamrp2p.chain import (
    Deployment,
    RewardPoolsContract,
    broadcast,
    connect,
    sign_call,
    wait_for,
)
from streamrp2p.client import CoordinatorClient
from streamrp2p.numbers import Address
from streamrp2p.traces import Traces, traces_to
from streamrp2p_node.claim_plan import ClaimPlan, make_plan
from streamrp2p_node.claim_view import Tokens, paid_lines, paid_shown, plan_lines, plan_shown
from streamrp2p_node.errors import ClaimError


@dataclass(frozen=True, slots=True)
class ClaimOptions:
    """What the operator asked for. With a deployment file, the coordinator's addresses are not believed."""

    coordinator_url: str
    rpc_url: str
    deployment: Deployment | None
    to: Address | None
    only_pools: frozenset[int]
    """Claim from these alone; empty: from all."""
    is_confirmed: bool
    as_json: bool
    traces_endpoint: str | None = None
    """Where the trace of a claim that is sent goes."""


def claim(options: ClaimOptions, node: Address, load_key: Callable[[], bytes]) -> None:
    """Show the claim; if confirmed, send it and show what was paid.

    Raises ClaimError, ChainError, ApiError or TracesError.
    """
    with CoordinatorClient(options.coordinator_url) as client:
        config = client.config()
        if options.deployment is not None:
            _check_deployment(config, options.deployment)
        web3 = connect(options.rpc_url, config.chain_id)
        plan = make_plan(client, web3, config, node, to=options.to, only_pools=options.only_pools)
    tokens = Tokens(web3)
    shown = plan_shown(plan)
    if not options.as_json:
        _print(plan_lines(plan, tokens))
    if plan.call is not None and options.is_confirmed:
        key = load_key()
        with closing(traces_to(options.traces_endpoint, "node")) as traces:
            shown |= _send(web3, config, plan, key, tokens, traces, is_quiet=options.as_json)
    elif plan.call is not None and not options.as_json:
        typer.echo("Nothing was sent. Add --yes to claim.")
    if options.as_json:
        typer.echo(json.dumps(shown, indent=2))


def _send(
    web3: Web3,
    config: api.Config,
    plan: ClaimPlan,
    key: bytes,
    tokens: Tokens,
    traces: Traces,
    *,
    is_quiet: bool,
) -> dict[str, object]:
    assert plan.call is not None  # noqa: S101 - the caller checked
    with traces.span("claim") as span:
        span.set("epoch", plan.proof.header.epoch)
        signed = sign_call(web3, plan.call, key)
        broadcast(web3, signed)
        if not is_quiet:
            typer.echo(f"   sent       0x{signed.hash.hex()}")
        receipt = wait_for(web3, signed.hash)
    pools = RewardPoolsContract(web3, Address(config.reward_pools))
    payments = pools.payments(receipt)
    if not is_quiet:
        _print(paid_lines(receipt, payments, plan, tokens))
    return paid_shown(receipt, payments)


def _check_deployment(config: api.Config, deployment: Deployment) -> None:
    named = (config.chain_id, config.epoch_book, config.reward_pools, config.node_registry)
    known = (
        deployment.chain_id,
        deployment.epoch_book,
        deployment.reward_pools,
        deployment.node_registry,
    )
    if named != known:
        raise ClaimError(
            "the coordinator names other contracts than the deployment file; do not use this coordinator"
        )


def _print(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)
