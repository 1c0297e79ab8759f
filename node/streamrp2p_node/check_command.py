"""`streamrp2p node check`: everything that keeps viewers from a node, and what to fix, in order."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import httpx
import typer
import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette

from streamrp2p import api
from streamrp2p.cli_options import EXIT_NEGATIVE, EXIT_RETRY
from streamrp2p.client import ApiError, CoordinatorClient, UnreachableError
from streamrp2p.numbers import Address, Hash
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain
from streamrp2p_node.certificate import Certificate, certificate_of, tls_of
from streamrp2p_node.errors import PortInUseError, Reason, RefusedError, SettingsError
from streamrp2p_node.folder import Folder
from streamrp2p_node.identity import Prove, identity_route, prove_identity
from streamrp2p_node.listener import listening
from streamrp2p_node.local_checks import (
    check_clock,
    check_disk,
    check_name,
    check_port,
    check_seen_from,
    is_answered_by,
    wrong,
)
from streamrp2p_node.outside_check import check_from_outside, with_own_advice
from streamrp2p_node.place import Place, place_of, port_of
from streamrp2p_node.port_mapping import PortMapper, PortMappingError, endpoint_of, mapping_step
from streamrp2p_node.problems import on_refused
from streamrp2p_node.running import Running
from streamrp2p_node.settings import Settings
from streamrp2p_node.status import NodeStatus

GRACE_SECONDS = 1


@dataclass(slots=True)
class Findings:
    """What a check found. `is_reachable` is None when the coordinator could not look."""

    endpoint: str | None
    steps: list[api.CheckStep] = field(default_factory=list)
    is_reachable: bool | None = None

    @property
    def fixes(self) -> list[str]:
        """What must be done, in order; notes are not among it."""
        return [step.fix or step.detail for step in self.steps if not step.ok]

    @property
    def exit_code(self) -> int:
        """0: reachable; EXIT_NEGATIVE: something must be fixed; EXIT_RETRY: cannot be told now."""
        if any(not step.ok and step.code != NOT_ASKED for step in self.steps):
            return EXIT_NEGATIVE
        return 0 if self.is_reachable else EXIT_RETRY


NOT_ASKED = "coordinator-not-asked"


def check(settings: Settings, key: bytes, mapper: PortMapper | None, *, as_json: bool) -> int:
    """Check a node, running or not, print what was found and return the exit code."""
    with CoordinatorClient(settings.coordinator_url, attempts=1) as client:
        found = asyncio.run(find(settings, key, mapper, client))
    if as_json:
        typer.echo(json.dumps(_report(found), indent=2))
    else:
        _print(found)
    return found.exit_code


async def find(
    settings: Settings, key: bytes, mapper: PortMapper | None, client: CoordinatorClient
) -> Findings:
    """Run every check, local ones first, and return the findings."""
    node, folder = address_of(key), Folder(settings.folder)
    found = Findings(settings.endpoint)
    steps = found.steps
    steps.append(check_disk(folder.root, folder.cache, settings.cache_bytes))
    certificate = certificate_of(settings)
    running = _running_at(settings.port, folder)
    is_running = await asyncio.to_thread(is_answered_by, node, running)
    if found.endpoint is None and mapper is None:
        found.endpoint = (
            await asyncio.to_thread(_endpoint_of_running, running) if is_running else None
        )
        if found.endpoint is None:
            raise SettingsError(
                "say which endpoint to check with --endpoint https://node.example.org, or --upnp"
            )
    place = place_of(settings.host, settings.port, found.endpoint)
    config: api.Config | None = None
    try:
        config = await asyncio.to_thread(client.config)
        steps.append(check_clock(time.time(), config))
    except (ApiError, UnreachableError) as error:
        steps.append(_not_asked(str(error)))
    if is_running:
        steps.append(check_port(place, is_running=True, is_taken=False))
        await _look(found, place, settings, key, mapper, client, config)
        return found
    try:
        with listening(settings.host, settings.port) as listener:
            steps.append(check_port(place, is_running=False, is_taken=False))
            prove = partial(_prove, key, node, config)
            try:
                async with _answering(listener, prove, certificate):
                    await _look(found, place, settings, key, mapper, client, config)
            finally:
                if mapper is not None:
                    await mapper.remove()
    except PortInUseError:
        steps.append(check_port(place, is_running=False, is_taken=True))
    return found


async def _look(
    found: Findings,
    place: Place,
    settings: Settings,
    key: bytes,
    mapper: PortMapper | None,
    client: CoordinatorClient,
    config: api.Config | None,
) -> None:
    """Look at the way from the router on inwards, then from outside."""
    if mapper is not None:
        found.endpoint = await _map(found, settings, mapper)
    if found.endpoint is None:
        found.is_reachable = False
        return
    place = replace(place, public_port=place_of(place.host, place.port, found.endpoint).public_port)
    step, addresses = await asyncio.to_thread(check_name, found.endpoint)
    found.steps.append(step)
    if config is None:
        return
    try:
        answer = await asyncio.to_thread(
            check_from_outside,
            client,
            key=key,
            node=address_of(key),
            endpoint=found.endpoint,
            domain=_domain(config),
            now=config.time,
        )
    except (ApiError, UnreachableError) as error:
        found.steps.append(_not_asked(str(error)))
        return
    found.is_reachable = answer.is_reachable
    place = place.seen(answer.seen_from)
    seen = check_seen_from(addresses, answer.seen_from)
    found.steps += [seen] if seen else []
    found.steps += [with_own_advice(step, place) for step in answer.steps]


async def _map(found: Findings, settings: Settings, mapper: PortMapper) -> str | None:
    try:
        mapping = await mapper.ensure()
    except PortMappingError as error:
        found.steps.append(error.step())
        return settings.endpoint
    step = mapping_step(mapping)
    endpoint = endpoint_of(settings.endpoint, mapping)
    if endpoint is None:
        step = step.model_copy(update={"ok": False})
    found.steps.append(step)
    return endpoint


def _not_asked(reason: str) -> api.CheckStep:
    return wrong("coordinator", NOT_ASKED, reason, "check --coordinator, or try again in a minute")


def _domain(config: api.Config) -> Domain:
    return Domain(config.chain_id, Address(config.epoch_book))


def _prove(key: bytes, node: Address, config: api.Config | None, nonce: Hash) -> api.SignedIdentity:
    if config is None:
        raise RefusedError(Reason.NOT_READY, "the coordinator could not be asked; try again")
    return prove_identity(nonce, key=key, node=node, domain=_domain(config), now=int(time.time()))


@asynccontextmanager
async def _answering(
    listener: socket.socket, prove: Prove, certificate: Certificate | None
) -> AsyncIterator[None]:
    """Answer who is there in the place of a node that does not run."""
    app = Starlette(routes=[identity_route(prove)], exception_handlers={RefusedError: on_refused})
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_context_factory=tls_of(certificate),
        )
    )
    work = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await work


def _running_at(port: int, folder: Folder) -> Running:
    """Return what the folder tells of a node at this port; a node in another place may not have left word there."""
    found = Running.read(folder.running)
    if found is not None and port_of(found.url) == port:
        return found
    return Running(url=f"http://127.0.0.1:{port}")


def _endpoint_of_running(running: Running) -> str | None:
    try:
        with running.client() as client:
            return NodeStatus.model_validate(client.status()).endpoint
    except (ApiError, UnreachableError, ValidationError, httpx.HTTPError):
        return None


def _report(found: Findings) -> dict[str, object]:
    return {
        "endpoint": found.endpoint,
        "isReachable": found.is_reachable,
        "steps": [step.dump() for step in found.steps],
        "fixes": found.fixes,
    }


def _print(found: Findings) -> None:
    width = max(len(step.step) for step in found.steps)
    for step in found.steps:
        mark = "FIX " if not step.ok else "note" if step.fix else "ok  "
        typer.echo(f"{mark}  {step.step:<{width}}  {step.detail}")
        if step.ok and step.fix:
            typer.echo(f"{'':<{width + 8}}{step.fix}")
    if found.fixes:
        typer.echo("\nTo fix, in this order:")
        for number, fix in enumerate(found.fixes, 1):
            typer.echo(f"  {number}. {fix}")
    elif found.is_reachable:
        typer.echo(f"\nViewers can reach this node at {found.endpoint}.")
