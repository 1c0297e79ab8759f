"""A bound on what one request may send, before anything reads it."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamrp2p.receipt import RECORD_LENGTH
from streamrp2p_coordinator.web.problems import problem

OVERHEAD_BYTES = 16_384
"""Room for all of a request but its records."""


def max_body_bytes(max_batch_records: int) -> int:
    """Return the size of the largest request that makes sense: records are hexadecimal."""
    return OVERHEAD_BYTES + 2 * RECORD_LENGTH * max_batch_records


class BodyLimit:
    """ASGI middleware: answers 413 as soon as a body is, or says it is, larger than `limit` bytes."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting its bytes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _declared(scope) > self._limit:
            await self._refuse(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                # FastAPI lets this one pass while it reads a body.
                raise HTTPException(413, self._detail(), {"Connection": "close"})
            return message

        await self._app(scope, counted, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem(
            413,
            "too-large",
            "The request is too large",
            self._detail(),
            # The rest of the body is not read, so the connection cannot go on.
            {"Connection": "close"},
        )
        await answer(scope, receive, send)

    def _detail(self) -> str:
        return (
            f"a request has at most {self._limit} bytes; "
            "send fewer records (maxBatchRecords of /v1/config)"
        )


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 20:
            return int(value)
    return 0
