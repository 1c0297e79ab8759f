"""`streamrp2p node explain`: why the node earns so much in an epoch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import typer

from streamrp2p import api
from streamrp2p.chain import connect
from streamrp2p.client import CoordinatorClient
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.explanation_view import Named, explanation_lines, refusal_lines, unnamed
from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_node.claim_view import Tokens


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """What the operator asked for; `epoch` is the present one if it is absent."""

    coordinator_url: str
    account: Address
    epoch: int | None
    rpc_url: str | None
    as_json: bool


def explain(options: ExplainOptions) -> None:
    """Show the explanation, computed anew. Raises what `CoordinatorClient.explain` and `connect` raise."""
    with CoordinatorClient(options.coordinator_url) as client:
        config = client.config()
        clock = EpochClock(config.genesis, config.epoch_seconds, config.intake_grace_seconds)
        epoch = (
            clock.at(max(config.time, config.genesis)) if options.epoch is None else options.epoch
        )
        answer = client.explain(options.account, epoch)
        explained = answer.explanation.recomputed()
        if options.as_json:
            typer.echo(json.dumps(answer.dump(), indent=2))
            return
        tokens = {pool.pool_id: Address(pool.token) for pool in client.pools()}
    named = _named(options.rpc_url, config, tokens)
    lines = [
        f"epoch {epoch} of 0x{options.account.hex()}: {_standing(answer)}",
        *explanation_lines(explained, named),
        *refusal_lines((one.record(), _remark(one, config)) for one in answer.refusals),
    ]
    for line in lines:
        typer.echo(line)
    if answer.refusal_count > len(answer.refusals):
        typer.echo(f"{answer.refusal_count - len(answer.refusals)} more refusals are in the bundle")


def _named(rpc_url: str | None, config: api.Config, tokens: Mapping[int, Address]) -> Named:
    if rpc_url is None:
        return unnamed
    known = Tokens(connect(rpc_url, config.chain_id))

    def named(pool_id: int, amount: int) -> str:
        return f" ({known.shown(amount, tokens[pool_id])})" if pool_id in tokens else ""

    return named


def _standing(answer: api.AccountEpoch) -> str:
    if not answer.is_settled:
        return f"an estimate, the epoch is {answer.state}"
    return _SETTLED.get(answer.state, "settled, not committed yet")


_SETTLED: Mapping[api.EpochState, str] = {
    "committed": "settled, can still be challenged",
    "final": "settled and final",
}


def _remark(refusal: api.SignedRejection, config: api.Config) -> str:
    domain = Domain(config.chain_id, Address(config.epoch_book))
    if refusal.record().is_signed_by(Address(config.poster), domain):
        facts = refusal.evidence or {}
        return "\n  ".join(
            [refusal.reason, *(f"{name:<10} {fact}" for name, fact in sorted(facts.items()))]
        )
    return f"NOT signed by the poster that the coordinator names; it says: {refusal.reason}"
