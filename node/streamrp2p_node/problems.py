"""Refusals as RFC 9457 problem details."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from streamrp2p.api import Problem
from streamrp2p.byte_range import RangeError
from streamrp2p.durable import StorageError
from streamrp2p_node.errors import RETRY_SECONDS, OriginError, Reason, RefusedError

PREFIX = "urn:streamrp2p:problem:"
MEDIA_TYPE = "application/problem+json"

STATUS = {
    Reason.BAD_REQUEST: 422,
    Reason.BAD_QUERY: 400,
    Reason.BODY_TOO_LARGE: 413,
    Reason.HEADERS_TOO_LARGE: 431,
    Reason.REQUEST_TOO_SLOW: 408,
    Reason.TOO_MANY_CONNECTIONS: 503,
    Reason.TICKET_INVALID: 403,
    Reason.TICKET_EXPIRED: 403,
    Reason.TICKET_FOR_OTHER_NODE: 403,
    Reason.TICKET_EXHAUSTED: 403,
    Reason.POOL_UNKNOWN: 404,
    Reason.DRAINING: 503,
    Reason.OVER_DATA_CAP: 503,
    Reason.OFF_SCHEDULE: 503,
    Reason.NODE_FULL: 503,
    Reason.NOT_READY: 503,
    Reason.SESSION_MISSING: 401,
    Reason.SESSION_UNKNOWN: 401,
    Reason.SESSION_FOR_OTHER_POOL: 403,
    Reason.SESSION_STOPPED: 403,
    Reason.PAYMENT_REQUIRED: 402,
    Reason.RECEIPT_INVALID: 422,
    Reason.RECEIPT_NOT_NEWER: 409,
    Reason.INTAKE_CLOSED: 410,
    Reason.RENDITION_UNKNOWN: 404,
    Reason.SEGMENT_UNKNOWN: 404,
    Reason.RANGE_UNSATISFIABLE: 416,
    Reason.TOO_MANY_WAITING: 429,
    Reason.ORIGIN_FAILED: 502,
    Reason.STORAGE_FULL: 503,
}
"""The HTTP status of each reason."""


def problem(reason: Reason, detail: str, retry_after_seconds: int = RETRY_SECONDS) -> Response:
    """Return the response for a reason; one that passes by itself says when to ask again."""
    status = STATUS[reason]
    body = Problem(
        type=PREFIX + reason, title=reason.replace("-", " "), status=status, detail=detail
    )
    headers = {"Cache-Control": "no-store"}
    if status == 503:  # noqa: PLR2004 - service unavailable
        headers["Retry-After"] = str(retry_after_seconds)
    return Response(body.dump_json(), status, headers, MEDIA_TYPE)


async def on_http_error(_: Request, error: Exception) -> Response:
    """Answer a path or method that this API does not have."""
    if not isinstance(error, HTTPException):
        raise error
    slug = error.detail.lower().replace(" ", "-")
    body = Problem(
        type=PREFIX + slug,
        title=error.detail,
        status=error.status_code,
        detail="this node's API has no such path or method; see docs/protocol.md section 10",
    )
    return Response(body.dump_json(), error.status_code, error.headers, MEDIA_TYPE)


async def on_refused(request: Request, error: Exception) -> Response:
    """Answer a RefusedError."""
    if not isinstance(error, RefusedError):
        raise error
    return _refusal(request, error.reason, str(error), error.retry_after_seconds)


async def on_range_error(request: Request, error: Exception) -> Response:
    """Answer a RangeError."""
    if not isinstance(error, RangeError):
        raise error
    response = _refusal(request, Reason.RANGE_UNSATISFIABLE, str(error))
    response.headers["Content-Range"] = error.content_range
    return response


async def on_origin_error(request: Request, error: Exception) -> Response:
    """Answer an OriginError."""
    return _refusal(request, Reason.ORIGIN_FAILED, f"{error}; try another node")


async def on_hang_up(_: Request, __: Exception) -> Response:
    """Answer one who hung up, whom no answer reaches."""
    return Response(status_code=204)


async def on_storage_error(request: Request, error: Exception) -> Response:
    """Answer a StorageError without naming paths of this machine."""
    if not isinstance(error, StorageError):
        raise error
    return _refusal(
        request,
        Reason.STORAGE_FULL,
        "this node cannot write to its disk now; keep your receipt, try again",
    )


def _refusal(
    request: Request, reason: Reason, detail: str, retry_after_seconds: int = RETRY_SECONDS
) -> Response:
    cast("Counter[Reason]", request.app.state.refusals)[reason] += 1
    return problem(reason, detail, retry_after_seconds)


HANDLERS: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    RefusedError: on_refused,
    RangeError: on_range_error,
    OriginError: on_origin_error,
    StorageError: on_storage_error,
    ClientDisconnect: on_hang_up,
    HTTPException: on_http_error,
}
"""What answers each kind of exception."""
