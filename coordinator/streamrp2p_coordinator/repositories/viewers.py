"""What viewers' networks do with their tickets. A network stands here under a name of the day, never as an address."""

import hmac
import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import func, select

from streamrp2p.numbers import Address, SessionId
from streamrp2p.receipt import SessionRecord
from streamrp2p.suspicion import Use
from streamrp2p_coordinator.repositories.base import Repository
from streamrp2p_coordinator.tables import NetworkSecretRow, SessionRow, TicketRow, table_of

DAY_SECONDS = 86_400
_tickets = table_of(TicketRow)
_sessions = table_of(SessionRow)
_secrets = table_of(NetworkSecretRow)


class Viewers(Repository):
    """Tickets by the network that asked for them."""

    def find_name(self, network: str, now: int) -> bytes | None:
        """Return the day's name of a network, if the day has its secret.

        Once that is removed nobody can tell which network it was.
        """
        query = select(_secrets.c.secret).where(_secrets.c.day == now // DAY_SECONDS)
        secret = self._connection.execute(query).scalar_one_or_none()
        return None if secret is None else hmac.digest(secret, network.encode(), "sha256")

    def name_network(self, network: str, now: int) -> bytes:
        """Return the day's name of a network, and make the day's secret if it is the first."""
        row = {"day": now // DAY_SECONDS, "secret": secrets.token_bytes(32)}
        # Two processes may meet a new day at once.
        self._insert_new(_secrets, [row])
        name = self.find_name(network, now)
        if name is None:
            raise AssertionError("the day's secret was just made")
        return name

    def has_old_secrets(self, now: int) -> bool:
        """Tell whether a secret of a day that is over is still there."""
        query = select(_secrets.c.day).where(_secrets.c.day < now // DAY_SECONDS).limit(1)
        return self._connection.execute(query).one_or_none() is not None

    def forget_secrets(self, now: int) -> None:
        """Remove the secrets of days that are over."""
        self._connection.execute(_secrets.delete().where(_secrets.c.day < now // DAY_SECONDS))

    def recent_nodes(self, viewer_network: bytes) -> set[Address]:
        """Return the nodes that a network's tickets named, as far as tickets are remembered."""
        rows = self._connection.execute(
            select(_tickets.c.node).where(_tickets.c.viewer_network == viewer_network).distinct()
        )
        return {Address(node) for (node,) in rows}

    def open_tickets(self, viewer_network: bytes, pool_id: int, now: int) -> int:
        """Return how many tickets to a pool a network has that have not expired."""
        return self._connection.execute(
            select(func.count())
            .select_from(_tickets)
            .where(
                _tickets.c.viewer_network == viewer_network,
                _tickets.c.expires_at > now,
                _tickets.c.pool_id == pool_id,
            )
        ).scalar_one()

    def signed_at(
        self, node: Address, pool_id: int, epochs: Sequence[int], probes: Collection[SessionId]
    ) -> list[int]:
        """Return when the records of a node in a pool and some epochs were signed, those of probes left out."""
        rows = self._connection.execute(
            select(_sessions.c.record).where(
                _sessions.c.epoch.in_(epochs), _sessions.c.node == node
            )
        )
        records = [SessionRecord.decode(data) for (data,) in rows]
        return [
            record.receipt.signed_at
            for record in records
            if record.ticket.pool_id == pool_id
            and record.weight
            and record.session_id not in probes
        ]

    def uses(self, now: int) -> dict[int, dict[tuple[Address, bytes], Use]]:
        """Return, by pool, what became of the remembered tickets that have expired, by node and network.

        A ticket is used if a record of its session stands; tickets of askers without a network are left out.
        """
        used = _sessions.c.session_id
        rows = self._connection.execute(
            select(
                _tickets.c.pool_id,
                _tickets.c.node,
                _tickets.c.viewer_network,
                func.count(),
                func.count(used),
            )
            .select_from(_tickets.outerjoin(_sessions, used == _tickets.c.session_id))
            .where(_tickets.c.viewer_network.is_not(None), _tickets.c.expires_at <= now)
            .group_by(_tickets.c.pool_id, _tickets.c.node, _tickets.c.viewer_network)
        )
        found: defaultdict[int, dict[tuple[Address, bytes], Use]] = defaultdict(dict)
        for pool_id, node, network, tickets, sessions in rows:
            found[pool_id][Address(node), network] = Use(tickets, sessions)
        return dict(found)
