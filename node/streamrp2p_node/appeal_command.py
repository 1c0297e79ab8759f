"""`streamrp2p node appeal`: object to refusals, and read what the operator answered."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import typer

from streamrp2p import api
from streamrp2p.client import CoordinatorClient
from streamrp2p.evidence import Appeal
from streamrp2p.numbers import Address, SessionId
from streamrp2p.signatures import sign
from streamrp2p.typed_data import Domain
from streamrp2p.verify import Code
from streamrp2p_node.errors import SettingsError


@dataclass(frozen=True, slots=True)
class AppealOptions:
    """What the operator objects to: the refusals of an epoch, all or those of one session."""

    coordinator_url: str
    epoch: int
    session_id: bytes | None
    text: str
    as_json: bool


def appeal(options: AppealOptions, node: Address, key: Callable[[], bytes]) -> None:
    """File an appeal to each refusal meant. Raises SettingsError when there is none, and what the client raises."""
    with CoordinatorClient(options.coordinator_url) as client:
        config = client.config()
        meant = [
            refusal.rejection
            for refusal in client.explain(node, options.epoch).refusals
            if options.session_id in (None, refusal.rejection.session_id)
        ]
        if not meant:
            raise SettingsError(
                f"epoch {options.epoch} has no such refusal; list them with: streamrp2p node explain --epoch "
                f"{options.epoch}"
            )
        private_key, domain = key(), Domain(config.chain_id, Address(config.epoch_book))
        filed = []
        for refusal in meant:
            message = Appeal(
                node,
                SessionId(refusal.session_id),
                refusal.sequence,
                refusal.code,
                options.text,
                config.time,
            )
            signature = sign(message.digest(domain), private_key)
            filed.append(client.file_appeal(api.SignedAppeal.of(message, signature)))
    show(filed, as_json=options.as_json)


def list_appeals(coordinator_url: str, node: Address, *, as_json: bool) -> None:
    """Show the node's newest appeals with their answers."""
    with CoordinatorClient(coordinator_url) as client:
        show(client.appeals(node), as_json=as_json)


def show(filed: list[api.FiledAppeal], *, as_json: bool) -> None:
    """Print appeals."""
    if as_json:
        typer.echo(json.dumps([one.dump() for one in filed], indent=2))
        return
    if not filed:
        typer.echo("no appeals")
    names = {code.value: code.name for code in Code}
    for one in filed:
        refused = one.appeal
        typer.echo(
            f"appeal {one.id}: {names.get(refused.code, refused.code)} of session 0x{refused.session_id.hex()}, "
            f"sequence {refused.sequence}"
        )
        typer.echo(f"  objection  {refused.text}")
        typer.echo(f"  answer     {'none yet' if one.answer is None else one.answer}")
