"""Tickets to watch other relays with: what a viewer asks the coordinator for, asked by a relay."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from streamrp2p import api
from streamrp2p.client import ApiError, CoordinatorClient, UnreachableError
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p.viewer.admission import MAX_EXCLUDED, NoRelayError


@dataclass(frozen=True, slots=True)
class TicketDesk:
    """Asks for tickets to relays other than this `node`."""

    client: CoordinatorClient
    node: Address

    async def ticket(
        self, pool_id: int, viewer_key: bytes, avoided: Sequence[bytes]
    ) -> api.Session:
        """Return a ticket for the throw-away key, to a relay that is not avoided; raises NoRelayError."""
        viewer = address_of(viewer_key)
        excluded = [self.node, *avoided][:MAX_EXCLUDED]
        request = api.SessionRequest(pool_id=pool_id, viewer=viewer, excluded_nodes=excluded)
        try:
            answer = await asyncio.to_thread(self.client.open_session, request)
        except (ApiError, UnreachableError) as error:
            raise NoRelayError(str(error)) from error
        ticket = answer.ticket
        if ticket.node in excluded:
            raise NoRelayError("the coordinator offers only relays that this one avoids")
        if (ticket.pool_id, ticket.viewer) != (pool_id, viewer):
            raise NoRelayError("the coordinator's ticket is for another pool or viewer")
        return answer
