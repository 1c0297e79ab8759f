"""A bound on what one request may send, before anything reads it."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamrp2p.receipt import RECORD_LENGTH
from streamrp2p_coordinator.web.problems import problem

BATCHES = "/v1/batches"
OVERHEAD_BYTES = 16_384
"""Room for all of a request but its records."""
BODY_SECONDS = 30.0
"""For the whole of a body: who sends it drop by drop holds a connection, and memory."""
SLOW = "the request did not come whole in time; send it anew"


def max_body_bytes(max_batch_records: int) -> int:
    """Return the size of the largest request that makes sense: records are hexadecimal."""
    return OVERHEAD_BYTES + 2 * RECORD_LENGTH * max_batch_records


class BodyLimit:
    """ASGI middleware: answers 413 as soon as a body is, or says it is, too large, and 408 when it does not come.

    Batches have `batch_bytes`, all else OVERHEAD_BYTES.
    """

    def __init__(self, app: ASGIApp, batch_bytes: int, body_seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._batch_bytes = batch_bytes
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting its bytes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._batch_bytes if scope["path"] == BATCHES else OVERHEAD_BYTES
        if _declared(scope) > limit:
            await _refuse(limit, scope, receive, send)
            return
        seen = 0
        is_whole = False
        deadline = asyncio.get_running_loop().time() + self._body_seconds

        async def counted() -> Message:
            nonlocal seen, is_whole
            if is_whole:
                # What comes now is the end of the connection.
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, SLOW, {"Connection": "close"}) from None
            seen += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if seen > limit:
                # FastAPI lets this one pass while it reads a body.
                raise HTTPException(413, _detail(limit), {"Connection": "close"})
            return message

        await self._app(scope, counted, send)


async def _refuse(limit: int, scope: Scope, receive: Receive, send: Send) -> None:
    answer = problem(
        413,
        "too-large",
        "The request is too large",
        _detail(limit),
        # The rest of the body is not read, so the connection cannot go on.
        {"Connection": "close"},
    )
    await answer(scope, receive, send)


def _detail(limit: int) -> str:
    return (
        f"such a request has at most {limit} bytes; "
        "of a batch, send fewer records (maxBatchRecords of /v1/config)"
    )


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 20:
            return int(value)
    return 0
