"""Look at a node from outside because it asks for it, and remember what was found of a registered one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from streamrp2p import api
from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import (
    TooOftenError,
    UnavailableError,
)
from streamrp2p_coordinator.network import Clock
from streamrp2p_coordinator.outside.addresses import host_and_port
from streamrp2p_coordinator.outside.rate_limit import RateLimit, asker_key
from streamrp2p_coordinator.outside.steps import StepFailedError
from streamrp2p_coordinator.use_cases.register_node import check_endpoint
from streamrp2p_coordinator.use_cases.signed_request import check_signed_request

MAX_LOOKS = 8
"""Looks at one time; each holds a thread."""
Look = Callable[[Address, str], list[api.CheckStep]]


@dataclass(frozen=True, slots=True)
class Checks:
    """How often looks may be asked for. An asker's limit holds for all its nodes: several may be behind one router."""

    of_asker: RateLimit = field(default_factory=lambda: RateLimit(30, 2.0))
    of_node: RateLimit = field(default_factory=lambda: RateLimit(10, 10.0))
    slots: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(MAX_LOOKS)
    )


def check_reachability(
    signed: api.SignedNodeCheck,
    asker: str | None,
    *,
    look: Look,
    checks: Checks,
    database: Database,
    domain: Domain,
    clock: Clock,
) -> api.Reachability:
    """Return what a look at the node finds. `asker` is the IP address that asks, None when it is not known.

    A registered node that cannot be reached at its registered endpoint gets no viewers for a while, or until a look
    finds it. Raises RequestError, InvalidSignatureError, TooOftenError or, retryable, UnavailableError.
    """
    _require(checks.of_asker.take(asker_key(asker)), "from your address")
    check = signed.check.message()
    check_endpoint(check.endpoint)
    check_signed_request(
        check,
        signed.signature,
        check.node,
        what="check",
        time_field="requestedAt",
        signed_at=check.requested_at,
        domain=domain,
        now=clock(),
    )
    _require(checks.of_node.take(check.node, _target(check.endpoint)), "of this node or endpoint")
    if not checks.slots.acquire(blocking=False):
        raise UnavailableError("the coordinator looks at other nodes now; ask again", 5)
    try:
        steps = look(check.node, check.endpoint)
    finally:
        checks.slots.release()
    is_reachable = all(step.ok for step in steps)
    with database.write() as store:
        store.nodes.mark_reachable(check.node, check.endpoint, None if is_reachable else clock())
    return api.Reachability(
        endpoint=check.endpoint,
        is_reachable=is_reachable,
        steps=steps,
        seen_from=asker,
        checked_at=clock(),
    )


def _require(wait_seconds: int, what: str) -> None:
    if wait_seconds:
        raise TooOftenError(f"too many checks {what}; wait {wait_seconds} s", wait_seconds)


def _target(endpoint: str) -> str:
    """Return what the limit of an endpoint counts by: its host, which many strangers' keys may name."""
    try:
        return host_and_port(endpoint)[0]
    except StepFailedError:
        return endpoint
