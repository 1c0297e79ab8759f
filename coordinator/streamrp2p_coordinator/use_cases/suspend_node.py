"""Hand a node no viewers, by the operator's word, or hand it some again."""

import structlog

from streamrp2p.numbers import Address
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import NotFoundError
from streamrp2p_coordinator.network import Clock
from streamrp2p_coordinator.repositories.nodes import StoredNode

log = structlog.get_logger()


def suspend_node(
    node: Address, *, is_suspended: bool, database: Database, clock: Clock
) -> StoredNode:
    """Suspend or resume a node, and return it as it is then. Safe to repeat; raises NotFoundError."""
    now = clock()
    with database.write() as store:
        store.nodes.suspend(node, now if is_suspended else None)
        found = store.nodes.find(node, now)
    if found is None:
        raise NotFoundError(f"0x{node.hex()} never registered here")
    log.warning("node_suspension", node="0x" + node.hex(), is_suspended=is_suspended)
    return found
