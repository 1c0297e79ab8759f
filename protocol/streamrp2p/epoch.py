"""The epoch cut: the ledger's sessions, ordered as the trees need them. Source: docs/protocol.md sections 5 and 6."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from streamrp2p.numbers import Address
from streamrp2p.verify import Checked


@dataclass(frozen=True, slots=True)
class NodeSessions:
    """One node's sessions in one pool, in rising order of session id; never empty, each of weight > 0."""

    node: Address
    sessions: tuple[Checked, ...]

    @property
    def weight(self) -> int:
        """Sum of the sessions' weights."""
        return sum(session.weight for session in self.sessions)


def cut(sessions: Iterable[Checked]) -> dict[int, tuple[NodeSessions, ...]]:
    """Group sessions by pool, then by node in rising order. Sessions of weight 0 are left out."""
    by_node: defaultdict[tuple[int, Address], list[Checked]] = defaultdict(list)
    for session in sessions:
        if session.weight > 0:
            ticket = session.record.ticket
            by_node[ticket.pool_id, ticket.node].append(session)
    pools: defaultdict[int, list[NodeSessions]] = defaultdict(list)
    for (pool_id, node), own in sorted(by_node.items(), key=lambda item: item[0]):
        pools[pool_id].append(NodeSessions(node, tuple(sorted(own, key=attrgetter("session_id")))))
    return {pool_id: tuple(nodes) for pool_id, nodes in pools.items()}
