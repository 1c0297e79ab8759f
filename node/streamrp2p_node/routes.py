"""The node's HTTP API: translates requests to the relay's use cases and back."""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streamrp2p import api
from streamrp2p.durable import StorageError
from streamrp2p.numbers import SessionId
from streamrp2p.playlist import PATH_NAME
from streamrp2p_node.bodies import read_model
from streamrp2p_node.errors import OriginError, Reason, RefusedError
from streamrp2p_node.hang_up import while_connected
from streamrp2p_node.identity import Prove, identity_route
from streamrp2p_node.playlist_query import read_query
from streamrp2p_node.problems import (
    on_hang_up,
    on_http_error,
    on_origin_error,
    on_refused,
    on_storage_error,
)
from streamrp2p_node.relay import Relay
from streamrp2p_node.segment_response import SegmentResponse

PLAYLIST_SUFFIX = ".m3u8"
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
MEDIA_TYPES = {
    ".ts": "video/mp2t",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".aac": "audio/aac",
    ".jpg": "image/jpeg",
}
_SESSION = re.compile(r"0x[0-9a-fA-F]{64}")
_POOL = re.compile(r"[0-9]{1,10}")


def make_app(
    relay: Relay,
    *,
    path: Callable[[int], api.RelayPath],
    status: Callable[[], Mapping[str, Any]],
    prove: Prove,
) -> Starlette:
    """Return the ASGI application."""

    async def open_session(request: Request) -> Response:
        opened = await relay.open_session(await read_model(request, api.OpenSession))
        return JSONResponse(opened.dump(), 201, headers={"Cache-Control": "no-store"})

    async def receive(request: Request) -> Response:
        await relay.receive(await read_model(request, api.SignedReceipt))
        return Response(status_code=204)

    async def stream(request: Request) -> Response:
        session_id, pool_id = _session_id(request), _pool_id(request)
        name = request.path_params["name"]
        if name.endswith(PLAYLIST_SUFFIX):
            query = read_query(request.query_params.multi_items())
            data = await while_connected(request, relay.playlist(session_id, pool_id, name, query))
            return Response(data, media_type=PLAYLIST_TYPE, headers={"Cache-Control": "no-store"})
        served = await relay.object(session_id, pool_id, name, request.headers.get("range"))
        return SegmentResponse(served.data, _media_type(name), served.give_back, served.part)

    async def show_path(request: Request) -> Response:
        found = path(_pool_id(request))
        return JSONResponse(found.dump(), headers={"Cache-Control": "no-store"})

    async def health(_: Request) -> Response:
        relay.require_ready()
        return JSONResponse({"status": "ok"})

    async def report(_: Request) -> Response:
        return JSONResponse(status(), headers={"Cache-Control": "no-store"})

    return Starlette(
        routes=[
            Route("/v1/sessions", open_session, methods=["POST"]),
            Route("/v1/receipts", receive, methods=["POST"]),
            _get(f"/v1/streams/{{pool_id}}/{PATH_NAME}", show_path),
            _get("/v1/streams/{pool_id}/{name}", stream),
            _get("/v1/status", report),
            identity_route(prove),
            _get("/healthz", health),
        ],
        # A player in a browser comes from another site; there are no cookies that it could misuse.
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=["*"],
                allow_methods=["GET", "POST"],
                allow_headers=["Content-Type", "Range", api.SESSION_HEADER],
                expose_headers=["Content-Range"],
                max_age=3600,
            )
        ],
        exception_handlers={
            RefusedError: on_refused,
            OriginError: on_origin_error,
            StorageError: on_storage_error,
            ClientDisconnect: on_hang_up,
            HTTPException: on_http_error,
        },
    )


def _get(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    route = Route(path, endpoint, methods=["GET"])
    # Starlette adds HEAD, which would count a segment as served and send none of it.
    route.methods = {"GET"}
    return route


def _session_id(request: Request) -> SessionId:
    given = request.headers.get(api.SESSION_HEADER)
    if given is None:
        raise RefusedError(
            Reason.SESSION_MISSING,
            f"name the session in the header {api.SESSION_HEADER}; open one with POST /v1/sessions",
        )
    if not _SESSION.fullmatch(given):
        raise RefusedError(
            Reason.BAD_REQUEST, f"{api.SESSION_HEADER} must be 0x followed by 64 hex digits"
        )
    return SessionId(bytes.fromhex(given[2:]))


def _pool_id(request: Request) -> int:
    given = request.path_params["pool_id"]
    if not _POOL.fullmatch(given):
        raise RefusedError(Reason.POOL_UNKNOWN, "a pool's id is a decimal number")
    return int(given)


def _media_type(name: str) -> str:
    return MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
