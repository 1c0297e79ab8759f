"""Look which nodes are up: only those get viewers."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait

from streamrp2p.numbers import Address
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock
from streamrp2p_coordinator.networks import network_of
from streamrp2p_coordinator.repositories.nodes import LastCheck

WORKERS = 128
"""So many nodes are asked at once, and no more of those that were not up: whoever registers dead ones must not make
the others wait for them."""
GROUP_SECONDS = 0.2
"""What was found is written down so often."""
LONGEST_PAUSE = 60
"""In rounds: a node that does not answer is asked one round later each time, up to this."""
TICKET_MEMORY_SECONDS = 3600
"""Suspicions rest on the tickets of the last hour."""

Misses = dict[Address, int]
"""How often in a row each node did not answer."""


def check_health(
    *,
    database: Database,
    probe: Callable[[str], str | None],
    clock: Clock,
    every_seconds: int,
    misses: Misses,
) -> int:
    """Ask each node that was not asked for a while, mark it as soon as it is known, and return how many were asked.

    `probe` takes an endpoint and returns the address at which the node answers, None if it does not. `misses` is kept
    from one call to the next.
    """
    now = clock()
    with database.read() as store:
        last = store.nodes.checked_before(now, every_seconds)
    due = _due(last, misses, now, every_seconds)
    if not due:
        return 0
    with ThreadPoolExecutor(min(WORKERS, len(due)), "health") as pool:
        asked = {pool.submit(probe, one.endpoint): one for one in due}
        waiting = set(asked)
        while waiting:
            done, waiting = wait(waiting, GROUP_SECONDS)
            if done:
                found = [(asked[each], each.result()) for each in done]
                _mark(found, misses, database, clock())
    with database.write() as store:
        store.nodes.forget_tickets(now - TICKET_MEMORY_SECONDS)
    return len(due)


def _due(
    last: Iterable[LastCheck], misses: Misses, now: int, every_seconds: int
) -> list[LastCheck]:
    """Return whom to ask, first who is up, then who was never asked, then who was not asked for longest."""

    def pauses(one: LastCheck) -> bool:
        rounds = min(misses.get(one.node, 0), LONGEST_PAUSE)
        return one.checked_at is not None and 0 <= now - one.checked_at < rounds * every_seconds

    up, down = [], []
    for one in last:
        if one.is_healthy:
            up.append(one)
        elif not pauses(one):
            down.append(one)
    down.sort(key=lambda one: -1 if one.checked_at is None else one.checked_at)
    return up + down[:WORKERS]


def _mark(
    found: Iterable[tuple[LastCheck, str | None]], misses: Misses, database: Database, now: int
) -> None:
    marks = []
    for one, address in found:
        marks.append((one.node, one.endpoint, address is not None, network_of(address)))
        if address is not None:
            misses.pop(one.node, None)
        else:
            # One that registered anew, or was seen from outside since, begins anew.
            misses[one.node] = 1 if one.checked_at is None else misses.get(one.node, 0) + 1
    with database.write() as store:
        store.nodes.mark_health(marks, now)
