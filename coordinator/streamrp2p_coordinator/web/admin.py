"""The operator's own routes: there only with a token in the settings, and open only to who shows it."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Header

from streamrp2p import api
from streamrp2p_coordinator.errors import UnauthorizedError
from streamrp2p_coordinator.use_cases.suspend_node import suspend_node
from streamrp2p_coordinator.web import parameters
from streamrp2p_coordinator.web.parts import Parts, shown_node

SCHEME = "Bearer "


class AdminStatus(api.Wire):
    """Where a coordinator stands. The epochs below each of `ended`, `settled`, `committed` and `final` came as far."""

    time: int
    newest_block: int
    read_until_block: int | None
    ended: int
    settled: int
    committed: int
    final: int
    poster_balance_wei: api.Uint256
    bond_wei: api.Uint256
    is_bonded: bool
    live_transactions: dict[str, int]
    pending_registrations: int
    failing_jobs: dict[str, str]
    """Why each job that fails now failed last, in this process."""
    suspended_nodes: list[api.AddressHex]


def require_token(services: Parts, authorization: Annotated[str, Header()] = "") -> None:
    """Let the operator in; raises UnauthorizedError."""
    expected = SCHEME + (services.admin_token or "")
    # In constant time: how much of it was right must not be told by how long it took.
    is_right = hmac.compare_digest(authorization.encode(), expected.encode())
    if services.admin_token is None or not is_right:
        raise UnauthorizedError("send the token of admin_token_file as: Authorization: Bearer TOKEN")


# Not in the API's description, which is for everybody's clients.
router = APIRouter(
    prefix="/v1/admin", dependencies=[Depends(require_token)], include_in_schema=False
)


@router.get("/status")
def get_admin_status(services: Parts) -> AdminStatus:
    """Show where chain, epochs, transactions and jobs stand, and which nodes are suspended."""
    seen = services.observe()
    with services.database.read() as store:
        suspended = store.nodes.suspended()
    return AdminStatus(
        time=seen.time,
        newest_block=seen.newest.number,
        read_until_block=None if seen.read_until is None else seen.read_until.number,
        ended=seen.ended,
        settled=seen.settled,
        committed=seen.committed,
        final=seen.final,
        poster_balance_wei=seen.poster_balance_wei,
        bond_wei=seen.book.bond_wei,
        is_bonded=seen.is_bonded,
        live_transactions=dict(seen.live_transactions),
        pending_registrations=seen.pending_registrations,
        failing_jobs=dict(services.failures),
        suspended_nodes=list(suspended),
    )


@router.post("/nodes/{node}/suspend")
def post_suspend(node: parameters.AddressText, services: Parts) -> api.Node:
    """Hand a node no more viewers, until it is resumed. What it earned and still hands in is paid."""
    found = parameters.address(node)
    return shown_node(
        suspend_node(found, is_suspended=True, database=services.database, clock=services.clock)
    )


@router.post("/nodes/{node}/resume")
def post_resume(node: parameters.AddressText, services: Parts) -> api.Node:
    """Hand a node viewers again."""
    found = parameters.address(node)
    return shown_node(
        suspend_node(found, is_suspended=False, database=services.database, clock=services.clock)
    )
