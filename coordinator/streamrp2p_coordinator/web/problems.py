"""Problem details (RFC 9457): every error that leaves the coordinator has this one form."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from streamrp2p.api import Problem
from streamrp2p.errors import MalformedError, StreamrP2PError
from streamrp2p_coordinator.errors import RequestError

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:streamrp2p:problem:"
MAX_FAULTS = 5
"""How many faults of a request are named."""
RETRY_SECONDS = 1

log = structlog.get_logger()

_SLUGS: Mapping[int, tuple[str, str]] = {
    400: ("invalid-request", "The request is not valid"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "The route has no such method"),
    408: ("too-slow", "The request came too slowly"),
    413: ("too-large", "The request is too large"),
}


def problem(
    status: int,
    slug: str,
    title: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    expected_nonce: int | None = None,
) -> Response:
    """Make a problem answer."""
    body = Problem(
        type=PREFIX + slug,
        title=title,
        status=status,
        detail=detail,
        expected_nonce=expected_nonce,
    )
    return Response(body.dump_json(), status, dict(headers or {}), MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Turn every failure of a route into a problem."""
    app.add_exception_handler(RequestError, _request_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(MalformedError, _malformed)
    app.add_exception_handler(StreamrP2PError, _outside_failure)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _bug)


def responses(*errors: type[RequestError]) -> dict[int | str, dict[str, Any]]:
    """Describe for OpenAPI the problems that a route may answer with, with an example of each."""
    described: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        answer = described.setdefault(error.status, _problem_answer(error.status))
        example = {
            "type": PREFIX + error.slug,
            "title": error.title,
            "status": error.status,
            "detail": (error.__doc__ or error.title).splitlines()[0],
        }
        answer["content"][MEDIA_TYPE]["examples"][error.slug] = {"value": example}
    return described


def _problem_answer(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    answer: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": schema, "examples": {}}},
    }
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        answer["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        }
    return answer


async def _request_error(_request: Request, error: Exception) -> Response:
    known = cast("RequestError", error)
    headers = {}
    if known.retry_after_seconds is not None:
        headers["Retry-After"] = str(known.retry_after_seconds)
    if known.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(known.status, known.slug, known.title, str(known), headers, known.expected_nonce)


async def _validation_error(_request: Request, error: Exception) -> Response:
    # What was sent is not repeated: it may be long, and is the sender's own.
    faults = cast("RequestValidationError", error).errors()
    named = [
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in faults[:MAX_FAULTS]
    ]
    return problem(422, "invalid-request", "The request is not valid", "; ".join(named))


async def _malformed(_request: Request, error: Exception) -> Response:
    return problem(422, "invalid-request", "The request is not valid", str(error))


async def _outside_failure(_request: Request, error: Exception) -> Response:
    log.warning("request_failed", reason=str(error), error=type(error).__name__)
    return problem(
        503,
        "unavailable",
        "Not available now",
        "something that the coordinator needs does not work now; try again",
        {"Retry-After": str(RETRY_SECONDS)},
    )


async def _http_error(_request: Request, error: Exception) -> Response:
    known = cast("HTTPException", error)
    slug, title = _SLUGS.get(known.status_code, (f"http-{known.status_code}", "The request failed"))
    return problem(known.status_code, slug, title, str(known.detail), known.headers)


async def _bug(_request: Request, error: Exception) -> Response:
    del error  # The server logs it with its traceback.
    return problem(
        500,
        "internal",
        "The coordinator failed",
        "this is a fault of the coordinator; tell its operator",
    )
