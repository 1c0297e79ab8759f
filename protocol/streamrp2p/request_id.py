"""Names each request, so that an answer and the log lines about it can be brought together."""

import re
import secrets
from itertools import count

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-request-id"
_GOOD = re.compile(rb"[0-9A-Za-z-]{8,64}")
_PROCESS = secrets.token_hex(6).encode()
"""What tells the ids of one process from those of another; they need not be secret."""
_numbers = count()


def request_id_of(given: bytes) -> bytes:
    """Return the id that a proxy gave, or a new one if it gave none that is fit for a log."""
    # Anything else could write lines of its own into the log.
    return given if _GOOD.fullmatch(given) else b"%s-%x" % (_PROCESS, next(_numbers))


class RequestIds:
    """ASGI middleware: takes a proxy's id or makes one, puts it into every log line and into the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under its name."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == HEADER), b"")
        request_id = request_id_of(given)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (HEADER, request_id)]}
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
            await self._app(scope, receive, named)
