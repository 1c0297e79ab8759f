"""Nodes and their registrations."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Select, and_, func, or_, select, update

from streamrp2p.api import RegistrationState
from streamrp2p.numbers import Address, Signature
from streamrp2p.typed_data import NodeRegistration
from streamrp2p_coordinator.repositories.base import Repository
from streamrp2p_coordinator.tables import NodeRow, RegistrationRow, TicketRow, table_of

_nodes = table_of(NodeRow)
_registrations = table_of(RegistrationRow)
_tickets = table_of(TicketRow)

PENDING: Final = "pending"
DONE: Final = "done"
FAILED: Final = "failed"
UNREACHABLE_SECONDS = 600
"""How long a look that found nobody keeps viewers away from a node that answers its health checks. The node asks for
another look before, as soon as it has something to show."""


@dataclass(frozen=True, slots=True)
class StoredNode:
    """A node with its load: the tickets that have not expired.

    `registration` is what became of the newest one, which everything here is from.
    `is_healthy` also tells that no look from outside found it unreachable within UNREACHABLE_SECONDS, and that the
    operator has not suspended it.
    """

    node: Address
    payout: Address
    endpoint: str
    nonce: int
    registration: RegistrationState
    is_healthy: bool
    open_sessions: int
    checked_at: int | None
    unreachable_at: int | None
    suspended_at: int | None
    network: str | None = None
    """Where it last answered a health check, as of `networks`."""


class LastCheck(NamedTuple):
    """What is known of a node's health. `checked_at`: Unix seconds, None when it was not asked since it registered."""

    node: Address
    endpoint: str
    is_healthy: bool
    checked_at: int | None


class Nodes(Repository):
    """One row per node, one per registration."""

    def find(self, node: Address, now: int) -> StoredNode | None:
        """Return a node, if it ever registered."""
        row = self._connection.execute(_with_load(now).where(_nodes.c.node == node)).one_or_none()
        return None if row is None else _stored(row, now)

    def is_registered(self, node: Address) -> bool:
        """Tell whether the node has an accepted registration."""
        query = select(_nodes.c.node).where(_nodes.c.node == node)
        return self._connection.execute(query).one_or_none() is not None

    def all(self, now: int) -> list[StoredNode]:
        """Return every node, rising by address."""
        rows = self._connection.execute(_with_load(now).order_by(_nodes.c.node))
        return [_stored(row, now) for row in rows]

    def of_account(self, account: Address, now: int) -> list[StoredNode]:
        """Return the nodes that an account is or is paid for, rising by address."""
        own = or_(_nodes.c.node == account, _nodes.c.payout == account)
        rows = self._connection.execute(_with_load(now).where(own).order_by(_nodes.c.node))
        return [_stored(row, now) for row in rows]

    def load_of_pool(self, pool_id: int, now: int) -> list[tuple[Address, int]]:
        """Return how many of a pool's tickets have not expired, by node."""
        rows = self._connection.execute(
            select(_tickets.c.node, func.count())
            .where(_tickets.c.pool_id == pool_id, _tickets.c.expires_at > now)
            .group_by(_tickets.c.node)
            .order_by(_tickets.c.node)
        )
        return [(Address(node), count) for node, count in rows]

    def register(
        self, registration: NodeRegistration, signature: Signature, known: StoredNode | None
    ) -> None:
        """Accept a registration: a check is due. At a new endpoint the node's health is unknown until then."""
        row: dict[str, Any] = {
            "node": registration.node,
            "payout": registration.payout,
            "endpoint": registration.endpoint,
            "nonce": registration.nonce,
            "checked_at": None,
        }
        if known is None or known.endpoint != registration.endpoint:
            row |= {
                "is_healthy": False,
                "unreachable_at": None,
                "network": None,
            }
        if known is None:
            self._insert(_nodes, [row])
        else:
            self._connection.execute(
                update(_nodes).where(_nodes.c.node == registration.node).values(row)
            )
        self._upsert(
            _registrations,
            [
                {
                    "node": registration.node,
                    "nonce": registration.nonce,
                    "payout": registration.payout,
                    "endpoint": registration.endpoint,
                    "deadline": registration.deadline,
                    "signature": signature,
                    "state": PENDING,
                }
            ],
        )

    def registration_state(self, node: Address, nonce: int) -> RegistrationState | None:
        """Return what became of a registration that was accepted."""
        return self._connection.execute(
            select(_registrations.c.state).where(
                _registrations.c.node == node, _registrations.c.nonce == nonce
            )
        ).scalar_one_or_none()

    def highest_pending_nonce(self, node: Address) -> int | None:
        """Return the nonce of the node's newest registration that is on its way to the chain."""
        query = (
            select(_registrations.c.nonce)
            .where(_registrations.c.node == node, _registrations.c.state == PENDING)
            .order_by(_registrations.c.nonce.desc())
            .limit(1)
        )
        return self._connection.execute(query).scalar_one_or_none()

    def pending_registrations(self, limit: int) -> list[tuple[NodeRegistration, Signature]]:
        """Return of each node the first registration that the chain does not hold yet, the most urgent before others.

        So none of a node's keeps another's from its turn, and none stays before others beyond its deadline.
        """
        pending = _registrations.c.state == PENDING
        first = (
            select(_registrations.c.node, func.min(_registrations.c.nonce).label("nonce"))
            .where(pending)
            .group_by(_registrations.c.node)
            .subquery()
        )
        is_first = and_(
            first.c.node == _registrations.c.node, first.c.nonce == _registrations.c.nonce
        )
        rows = self._connection.execute(
            select(_registrations)
            .join(first, is_first)
            .order_by(_registrations.c.deadline, _registrations.c.node)
            .limit(limit)
        )
        return [
            (
                NodeRegistration(row.node, row.payout, row.endpoint, row.nonce, row.deadline),
                Signature(row.signature),
            )
            for row in rows
        ]

    def mark_registration(self, node: Address, nonce: int, state: RegistrationState) -> None:
        """Change a registration's state."""
        self._connection.execute(
            update(_registrations)
            .where(_registrations.c.node == node, _registrations.c.nonce == nonce)
            .values(state=state)
        )

    def checked_before(self, now: int, seconds: int) -> list[LastCheck]:
        """Return the nodes that were not asked within these seconds. A check of a time to come counts as an old one."""
        checked_at = _nodes.c.checked_at
        rows = self._connection.execute(
            select(_nodes.c.node, _nodes.c.endpoint, _nodes.c.is_healthy, checked_at).where(
                or_(checked_at.is_(None), checked_at <= now - seconds, checked_at > now)
            )
        )
        return [LastCheck(Address(row[0]), *row[1:]) for row in rows]

    def mark_health(
        self, checked: Iterable[tuple[Address, str, bool, str | None]], now: int
    ) -> None:
        """Note `(node, endpoint, is healthy, network)`; a node that moved meanwhile keeps its own mark.

        One that does not answer is still taken for where it last did.
        """
        for node, endpoint, is_healthy, network in checked:
            seen = {"network": network} if is_healthy else {}
            self._connection.execute(
                update(_nodes)
                .where(_nodes.c.node == node, _nodes.c.endpoint == endpoint)
                .values(is_healthy=is_healthy, checked_at=now, **seen)
            )

    def mark_reachable(self, node: Address, endpoint: str, unreachable_at: int | None) -> None:
        """Note when a look from outside found nobody at a node's endpoint, or None that it found the node.

        Then its health is to be asked for at once, however long it did not answer.
        Nothing is noted of an endpoint that is not the registered one.
        """
        seen = {"checked_at": None} if unreachable_at is None else {}
        self._connection.execute(
            update(_nodes)
            .where(_nodes.c.node == node, _nodes.c.endpoint == endpoint)
            .values(unreachable_at=unreachable_at, **seen)
        )

    def suspend(self, node: Address, suspended_at: int | None) -> None:
        """Note since when a node gets no viewers by the operator's word; None: it gets some."""
        self._connection.execute(
            update(_nodes).where(_nodes.c.node == node).values(suspended_at=suspended_at)
        )

    def suspended(self) -> list[Address]:
        """Return the nodes that are suspended, rising by address."""
        query = select(_nodes.c.node).where(_nodes.c.suspended_at.is_not(None))
        return [
            Address(node) for (node,) in self._connection.execute(query.order_by(_nodes.c.node))
        ]

    def add_ticket(
        self,
        session_id: bytes,
        epoch: int,
        pool_id: int,
        node: Address,
        expires_at: int,
        viewer_network: bytes | None = None,
    ) -> None:
        """Count a ticket towards its node's load, and to the network that asked, by its name of the day."""
        self._insert(
            _tickets,
            [
                {
                    "session_id": session_id,
                    "epoch": epoch,
                    "pool_id": pool_id,
                    "node": node,
                    "expires_at": expires_at,
                    "viewer_network": viewer_network,
                }
            ],
        )

    def forget_tickets(self, expired_before: int) -> None:
        """Remove tickets that count no more."""
        self._connection.execute(_tickets.delete().where(_tickets.c.expires_at <= expired_before))


def _with_load(now: int) -> Select[Any]:
    load = func.count(_tickets.c.session_id)
    joined = _nodes.outerjoin(
        _tickets, and_(_tickets.c.node == _nodes.c.node, _tickets.c.expires_at > now)
    )
    newest = and_(_registrations.c.node == _nodes.c.node, _registrations.c.nonce == _nodes.c.nonce)
    return (
        select(_nodes, _registrations.c.state, load.label("open_sessions"))
        .select_from(joined.join(_registrations, newest))
        .group_by(_nodes.c.node, _registrations.c.state)
    )


def _stored(row: Row[Any], now: int) -> StoredNode:
    # A look of a time to come is an old one: the clock was set back.
    lost = row.unreachable_at is not None and 0 <= now - row.unreachable_at < UNREACHABLE_SECONDS
    return StoredNode(
        row.node,
        row.payout,
        row.endpoint,
        row.nonce,
        row.state,
        row.is_healthy and not lost and row.suspended_at is None,
        row.open_sessions,
        row.checked_at,
        row.unreachable_at,
        row.suspended_at,
        row.network,
    )
