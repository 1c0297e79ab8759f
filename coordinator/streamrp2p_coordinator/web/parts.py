"""What the routes share: the services behind them, how their answers are described, how a node is shown."""

from typing import Annotated, Any, cast

from fastapi import Depends, Request

from streamrp2p import api
from streamrp2p_coordinator.errors import RequestError
from streamrp2p_coordinator.repositories.nodes import StoredNode
from streamrp2p_coordinator.services import Services
from streamrp2p_coordinator.web.problems import responses


def _services(request: Request) -> Services:
    return cast("Services", request.app.state.services)


Parts = Annotated[Services, Depends(_services)]


def answers(
    example: dict[str, Any], *problems: type[RequestError]
) -> dict[int | str, dict[str, Any]]:
    """Describe for OpenAPI what a route answers: an example, and the problems that it may meet."""
    return {200: {"content": {"application/json": {"example": example}}}, **responses(*problems)}


def shown_node(node: StoredNode) -> api.Node:
    """Return a node as it is shown to everybody."""
    return api.Node(
        node=node.node,
        payout=node.payout,
        endpoint=node.endpoint,
        nonce=node.nonce,
        registration=node.registration,
        is_healthy=node.is_healthy,
        open_sessions=node.open_sessions,
    )
