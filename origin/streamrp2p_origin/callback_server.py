"""The private HTTP port on which ingest servers ask: each request is small, quick and alone on its connection."""

import asyncio

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from streamrp2p_origin.callbacks import READERS
from streamrp2p_origin.errors import (
    CallbackRefusedError,
    MalformedCallbackError,
    OriginError,
    StreamKeyRefusedError,
)
from streamrp2p_origin.http_server import HttpServer
from streamrp2p_origin.publications import Publications

_log = structlog.get_logger()

CONNECTION_SECONDS = 5.0
"""What a connection may take, from its first byte to the last of the answer."""
MAX_BODY_BYTES = 8192
MAX_HEADER_BYTES = 8192
MAX_CONNECTIONS = 64


def create_callback_app(publications: Publications) -> Starlette:
    """Return the ASGI application: POST /nginx, /srs or /mediamtx.

    200 and `code` 0 (for SRS) say yes, 403 says no, 400 and 413 that the request is not understood.
    """

    async def ask(request: Request) -> Response:
        server = request.path_params["server"]
        if server not in READERS:
            return _answer(
                404, f"ingest servers ask at {', '.join('/' + name for name in READERS)}"
            )
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                return _answer(413, f"a callback has at most {MAX_BODY_BYTES} bytes")
        try:
            publications.answer(READERS[server](body))
        except MalformedCallbackError as error:
            return _answer(400, str(error))
        except (StreamKeyRefusedError, CallbackRefusedError) as error:
            _log.warning("encoder_refused", server=server, reason=str(error))
            return _answer(403, str(error))
        except OriginError as error:
            _log.error("encoder_refused", server=server, reason=str(error))
            return _answer(503, str(error))
        return _answer(200, None)

    return Starlette(routes=[Route("/{server}", ask, methods=["POST"])])


def callback_server(publications: Publications) -> HttpServer:
    """Return the server; `serve` it with a socket that is bound to the loopback interface."""
    return HttpServer(
        uvicorn.Config(
            create_callback_app(publications),
            http=_BriefProtocol,
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            limit_concurrency=MAX_CONNECTIONS,
            headers=[("Connection", "close")],
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
        )
    )


class _BriefProtocol(H11Protocol):
    """Ends a connection in time, whatever its peer does: uvicorn alone would wait for slow headers for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._ending = self.loop.call_later(CONNECTION_SECONDS, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ending.cancel()
        super().connection_lost(exc)


def _answer(status: int, detail: str | None) -> Response:
    return JSONResponse(
        {"code": 0} if detail is None else {"code": status, "detail": detail}, status
    )
