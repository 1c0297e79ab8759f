"""The routes of signed-in accounts. The token comes in a header and never in a cookie: no page sends it unasked."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Response

from streamrp2p import api
from streamrp2p_coordinator.errors import (
    InvalidSignatureError,
    InvalidSignInError,
    NotFoundError,
    RequestError,
    StorageError,
    UnauthorizedError,
    UnavailableError,
)
from streamrp2p_coordinator.use_cases.show_me import show_me
from streamrp2p_coordinator.use_cases.sign_in import (
    SignedIn,
    hand_out_nonce,
    sign_in,
    sign_out,
    signed_in,
)
from streamrp2p_coordinator.web import examples
from streamrp2p_coordinator.web.parts import Parts, answers

SCHEME = "Bearer "


def _token(authorization: Annotated[str, Header(include_in_schema=False)] = "") -> str:
    return authorization.removeprefix(SCHEME)


Token = Annotated[str, Depends(_token)]


def require_account(token: Token, services: Parts) -> SignedIn:
    """Let a signed-in account in; raises UnauthorizedError."""
    return signed_in(token, database=services.database, clock=services.clock)


Account = Annotated[SignedIn, Depends(require_account)]

router = APIRouter(tags=["me"])


@router.post(
    "/v1/sign-in/nonce",
    responses=answers(examples.sign_in_nonce(), NotFoundError, StorageError),
)
def post_sign_in_nonce(services: Parts) -> api.SignInNonce:
    """Make a nonce for one sign-in with Ethereum (EIP-4361)."""
    return hand_out_nonce(
        database=services.database, origins=services.dashboard_origins, clock=services.clock
    )


@router.post(
    "/v1/sign-in",
    responses=answers(
        examples.sign_in_token(),
        InvalidSignInError,
        InvalidSignatureError,
        RequestError,
        UnavailableError,
        StorageError,
    ),
)
def post_sign_in(
    request: Annotated[
        api.SignInRequest, Body(openapi_examples={"account": {"value": examples.sign_in()}})
    ],
    services: Parts,
) -> api.SignInToken:
    """Show by a signed message of EIP-4361 who one is; the token is good for an hour."""
    return sign_in(
        request,
        database=services.database,
        chain=services.chain,
        network=services.network,
        origins=services.dashboard_origins,
        clock=services.clock,
    )


@router.post("/v1/sign-out", responses=answers({"status": "signed out"}, RequestError, StorageError))
def post_sign_out(token: Token, services: Parts) -> dict[str, str]:
    """Let the token count no more."""
    sign_out(token, database=services.database)
    return {"status": "signed out"}


@router.get("/v1/me", responses=answers(examples.me(), UnauthorizedError, RequestError, StorageError))
def get_me(account: Account, services: Parts, response: Response) -> api.Me:
    """Show a signed-in account its nodes, what was refused to them, and who serves its pools."""
    response.headers["Cache-Control"] = "no-store"
    return show_me(account, database=services.database, clock=services.clock)
