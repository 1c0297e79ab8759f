"""Look which nodes are up: only those get viewers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock

WORKERS = 16
TICKET_MEMORY_SECONDS = 3600
"""Suspicions rest on the tickets of the last hour."""


def check_health(
    *,
    database: Database,
    probe: Callable[[str], bool],
    clock: Clock,
    every_seconds: int,
) -> int:
    """Ask each node that was not asked for a while, and return how many were. `probe` takes an endpoint."""
    now = clock()
    with database.read() as store:
        due = store.nodes.due_for_check(now - every_seconds)
    if not due:
        return 0
    with ThreadPoolExecutor(WORKERS, "health") as pool:
        health = list(pool.map(probe, [endpoint for _, endpoint in due]))
    with database.write() as store:
        store.nodes.mark_health(
            [(node, endpoint, up) for (node, endpoint), up in zip(due, health, strict=True)],
            clock(),
        )
        store.nodes.forget_tickets(now - TICKET_MEMORY_SECONDS)
    return len(due)
