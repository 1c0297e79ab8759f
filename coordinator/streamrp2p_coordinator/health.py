"""Whether this process works, and whether it should be asked: what a supervisor and a load balancer want to know."""

import time

from streamrp2p.errors import StreamrP2PError
from streamrp2p.monitoring import Checks, Facts
from streamrp2p_coordinator.services import Services

STUCK_SECONDS = 900
"""A round of jobs that has not ended for so long never will: settling takes minutes at most."""
BEHIND_SECONDS = 300
"""When the chain was not read for so long, pools and terms may have changed unseen."""


def health(services: Services) -> Checks:
    """Tell what only a restart mends: a round of jobs that hangs."""
    begun = services.busy_since
    seconds = 0.0 if begun is None else time.monotonic() - begun
    is_stuck = seconds > STUCK_SECONDS
    return {"jobs": f"a round runs for {seconds:.0f} s already; restart" if is_stuck else None}


def readiness(services: Services) -> Checks:
    """Tell whether database and chain answer, and whether the chain was read lately."""
    return {
        "database": _database(services),
        "chain": _chain(services),
    }


def leadership(services: Services) -> Facts:
    """Name the newest leader and its term, and tell whether it is this process; nothing if the database is silent."""
    try:
        with services.database.read() as store:
            newest = store.leader.newest()
    except StreamrP2PError:
        return {}
    if newest is None:
        return {"isLeader": False}
    own = services.leadership.term
    return {"isLeader": own == newest.number, "leader": newest.name, "leaderTerm": newest.number}


def _database(services: Services) -> str | None:
    try:
        with services.database.read() as store:
            block, synced_at = store.pools.read_until(), store.pools.synced_at()
    except StreamrP2PError as error:
        return str(error)
    if block is None or synced_at is None:
        return "the chain was not read yet"
    age = services.clock() - synced_at
    if age > BEHIND_SECONDS:
        return f"the chain was last read {age} s ago; look at the process that settles"
    return None


def _chain(services: Services) -> str | None:
    try:
        services.chain.newest()
    except StreamrP2PError as error:
        return str(error)
    return None
