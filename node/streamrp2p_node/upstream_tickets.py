"""Tickets to watch other relays with: what a viewer asks the coordinator for, asked by a relay."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from streamrp2p import api
from streamrp2p.client import CoordinatorClient
from streamrp2p.numbers import Address
from streamrp2p.viewer.admission import MAX_EXCLUDED, ask_for_ticket


@dataclass(frozen=True, slots=True)
class TicketDesk:
    """Asks for tickets to relays other than this `node`."""

    client: CoordinatorClient
    node: Address

    async def ticket(
        self, pool_id: int, viewer_key: bytes, avoided: Sequence[bytes]
    ) -> api.Session:
        """Return a ticket for the throw-away key, to a relay that is not avoided; raises NoRelayError."""
        excluded = [self.node, *avoided][:MAX_EXCLUDED]
        return await asyncio.to_thread(ask_for_ticket, self.client, pool_id, viewer_key, excluded)
