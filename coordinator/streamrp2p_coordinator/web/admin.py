"""The operator's own routes: there only with a token in the settings, and open only to who shows it."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from pydantic import Field

from streamrp2p import api
from streamrp2p.suspicion import Suspicion
from streamrp2p.verify import Code
from streamrp2p_coordinator.errors import NotFoundError, UnauthorizedError
from streamrp2p_coordinator.use_cases.file_appeal import shown_appeal
from streamrp2p_coordinator.use_cases.suspend_node import suspend_node
from streamrp2p_coordinator.web import parameters
from streamrp2p_coordinator.web.parts import Parts, shown_node

SCHEME = "Bearer "
APPEALS_ROWS = 1000
"""How many appeals are shown at once, the oldest of those that wait."""


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


class AdminSuspicion(api.Wire):
    """A suspicion that holds; without a pool, in all of them. `refuses`: intake refuses the node's records for it."""

    id: int
    code: int
    name: str
    pool_id: int | None
    node: api.AddressHex
    made_at: int
    until: int
    refuses: bool
    evidence: dict[str, int | str]


class Hold(api.Wire):
    """Why an operator holds a node's records back, and how long."""

    reason: str
    seconds: Annotated[int, Field(ge=1, le=31_536_000)] = 86_400
    """A year at most."""


@router.get("/suspicions")
def get_suspicions(services: Parts) -> list[AdminSuspicion]:
    """List the suspicions that hold, the newest first."""
    with services.database.read() as store:
        return [
            AdminSuspicion(
                id=stored.id,
                code=stored.suspicion.code,
                name=stored.suspicion.code.name,
                pool_id=stored.suspicion.pool_id,
                node=stored.suspicion.node,
                made_at=stored.made_at,
                until=stored.until,
                refuses=stored.suspicion.refuses,
                evidence=dict(stored.suspicion.evidence),
            )
            for stored in store.suspicions.open(services.clock())
        ]


@router.post("/suspicions/{number}/withdraw")
def post_withdraw(number: int, services: Parts) -> list[AdminSuspicion]:
    """Take a suspicion back: the node hands its records in again, and for a week it is not made anew."""
    with services.database.write() as store:
        if store.suspicions.find(number) is None:
            raise NotFoundError(f"there is no suspicion {number}; see /v1/admin/suspicions")
        store.suspicions.withdraw(number, services.clock())
    return get_suspicions(services)


@router.post("/nodes/{node}/hold")
def post_hold(node: parameters.AddressText, hold: Hold, services: Parts) -> list[AdminSuspicion]:
    """Refuse a node's records in all pools, with a reason that it reads."""
    now = services.clock()
    suspicion = Suspicion(
        Code.SUSPECT, parameters.address(node), None, {"reason": hold.reason[:500]}
    )
    with services.database.write() as store:
        store.suspicions.keep([suspicion], now, now + hold.seconds, now)
    return get_suspicions(services)


class Answer(api.Wire):
    """What an operator answers to an appeal."""

    text: Annotated[str, Field(min_length=1, max_length=2000)]


@router.get("/appeals")
def get_waiting_appeals(services: Parts) -> list[api.FiledAppeal]:
    """List the appeals that wait for an answer, the oldest first."""
    with services.database.read() as store:
        return list(map(shown_appeal, store.suspicions.unanswered_appeals(APPEALS_ROWS)))


@router.post("/appeals/{number}/answer")
def post_answer(number: int, answer: Answer, services: Parts) -> api.FiledAppeal:
    """Answer an appeal; the node reads it. To give the records a way in again, withdraw the suspicion as well."""
    with services.database.write() as store:
        answered = store.suspicions.answer(number, answer.text, services.clock())
    if answered is None:
        raise NotFoundError(f"there is no appeal {number}; see /v1/admin/appeals")
    return shown_appeal(answered)


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
