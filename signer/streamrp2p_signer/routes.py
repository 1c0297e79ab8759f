"""The signer's HTTP API, of a few small routes. Every refusal is a problem (RFC 9457)."""

import asyncio
from collections import Counter
from typing import Any

import structlog
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streamrp2p import api
from streamrp2p.request_id import RequestIds
from streamrp2p.traced import tracing
from streamrp2p.traces import NO_TRACES, Traces
from streamrp2p.validation import first_fault
from streamrp2p_signer.desk import Desk
from streamrp2p_signer.refusals import Reason, RefusedError

MAX_BODY_BYTES = 8192
"""A request takes less than 1 kB of JSON."""
BODY_SECONDS = 5.0
"""For the whole of a body: who sends it drop by drop holds a connection."""
PREFIX = "urn:streamrp2p:problem:"
MEDIA_TYPE = "application/problem+json"
NO_STORE = {"Cache-Control": "no-store"}

STATUS = {
    Reason.BAD_REQUEST: 422,
    Reason.BODY_TOO_LARGE: 413,
    Reason.REQUEST_TOO_SLOW: 408,
    Reason.OTHER_CHAIN: 409,
    Reason.UNKNOWN_ASKER: 403,
    Reason.REQUEST_STALE: 409,
    Reason.POOL_NOT_SERVED: 404,
    Reason.WRONG_EPOCH: 409,
    Reason.TICKET_TOO_LARGE: 409,
    Reason.OVER_EPOCH_BUDGET: 429,
    Reason.OVER_DAY_BUDGET: 429,
    Reason.TOO_MANY_SESSIONS: 429,
    Reason.STORAGE_FAILED: 503,
}
"""The HTTP status of each reason."""
NOBODYS = {
    Reason.BAD_REQUEST,
    Reason.BODY_TOO_LARGE,
    Reason.REQUEST_TOO_SLOW,
    Reason.UNKNOWN_ASKER,
    Reason.OTHER_CHAIN,
}
"""Anybody can bring these about, as often as he likes: they are counted, but not logged."""

log = structlog.get_logger("signer")


def make_app(desk: Desk, counts: Counter[str], traces: Traces = NO_TRACES) -> Starlette:
    """Return the application. `counts` gets the answers: `signed`, or the reason of the refusal."""

    async def facts(_: Request) -> Response:
        return JSONResponse(desk.facts().dump(), headers=NO_STORE)

    async def sign(request: Request) -> Response:
        ask = _parsed(await _body(request))
        with traces.span("sign ticket") as span:
            signed = await run_in_threadpool(desk.sign, ask)
            # Only now: what a stranger writes is in no span.
            span.set("pool.id", ask.ticket.pool_id)
            span.set("epoch", ask.ticket.epoch)
        counts["signed"] += 1
        return JSONResponse(signed.dump(), headers=NO_STORE)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=NO_STORE)

    async def refused(_: Request, error: Exception) -> Response:
        if not isinstance(error, RefusedError):
            raise error
        counts[error.reason] += 1
        if error.reason not in NOBODYS:
            log.warning("ticket_refused", reason=str(error), slug=error.reason.value)
        headers = dict(NO_STORE)
        if error.retry_after_seconds is not None:
            headers["Retry-After"] = str(error.retry_after_seconds)
        return _problem(STATUS[error.reason], error.reason, str(error), headers)

    handlers: dict[Any, Any] = {
        RefusedError: refused,
        HTTPException: _http_error,
        ClientDisconnect: _hung_up,
    }
    return Starlette(
        routes=[
            Route("/v1/signer", facts),
            Route("/v1/tickets", sign, methods=["POST"]),
            Route("/healthz", health),
        ],
        middleware=[Middleware(RequestIds), *tracing(traces)],
        exception_handlers=handlers,
    )


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise RefusedError(
                        Reason.BODY_TOO_LARGE,
                        f"the body exceeds {MAX_BODY_BYTES} bytes; ask for one ticket at a time",
                    )
    except TimeoutError:
        raise RefusedError(
            Reason.REQUEST_TOO_SLOW, "the request did not come whole in time; send it anew"
        ) from None
    return bytes(body)


def _parsed(body: bytes) -> api.TicketAsk:
    try:
        return api.TicketAsk.model_validate_json(body)
    except ValidationError as error:
        where, fault = first_fault(error, "the body")
        raise RefusedError(Reason.BAD_REQUEST, f"{where}: {fault}") from error


def _problem(status: int, slug: str, detail: str, headers: dict[str, str]) -> Response:
    body = api.Problem(
        type=PREFIX + slug, title=slug.replace("-", " "), status=status, detail=detail
    )
    if status in (408, 413):
        # The rest of the body is not read, so the connection cannot go on.
        headers["Connection"] = "close"
    return Response(body.dump_json(), status, headers, MEDIA_TYPE)


async def _http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    slug = error.detail.lower().replace(" ", "-")
    detail = (
        "there are GET /v1/signer, POST /v1/tickets and GET /healthz (docs/protocol.md section 12)"
    )
    return _problem(error.status_code, slug, detail, dict(error.headers or {}))


async def _hung_up(_: Request, __: Exception) -> Response:
    return Response(status_code=204)
