"""Look which nodes are up: only those get viewers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock
from streamrp2p_coordinator.networks import network_of

WORKERS = 16
TICKET_MEMORY_SECONDS = 3600
"""Suspicions rest on the tickets of the last hour."""


def check_health(
    *,
    database: Database,
    probe: Callable[[str], str | None],
    clock: Clock,
    every_seconds: int,
) -> int:
    """Ask each node that was not asked for a while, and return how many were.

    `probe` takes an endpoint and returns the address at which the node answers, None if it does not.
    """
    now = clock()
    with database.read() as store:
        due = store.nodes.due_for_check(now - every_seconds)
    if not due:
        return 0
    with ThreadPoolExecutor(WORKERS, "health") as pool:
        addresses = list(pool.map(probe, [endpoint for _, endpoint in due]))
    with database.write() as store:
        store.nodes.mark_health(
            [
                (node, endpoint, address is not None, network_of(address))
                for (node, endpoint), address in zip(due, addresses, strict=True)
            ],
            clock(),
        )
        store.nodes.forget_tickets(now - TICKET_MEMORY_SECONDS)
    return len(due)
