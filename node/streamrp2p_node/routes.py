"""The node's HTTP API: translates requests to the relay's use cases and back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streamrp2p import api
from streamrp2p.playlist import PATH_NAME
from streamrp2p.request_id import RequestIds
from streamrp2p.traced import tracing
from streamrp2p.traces import NO_TRACES, Traces
from streamrp2p_node.bodies import read_model
from streamrp2p_node.cross_origin import cross_origin
from streamrp2p_node.hang_up import while_connected
from streamrp2p_node.identity import Prove, identity_route
from streamrp2p_node.object_route import ObjectRoute
from streamrp2p_node.pace import Pace
from streamrp2p_node.problems import HANDLERS
from streamrp2p_node.relay import Relay
from streamrp2p_node.request_fields import read_directives, read_pool_id, read_session_id

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"


def make_app(
    relay: Relay,
    *,
    path: Callable[[int], api.RelayPath],
    status: Callable[[], Mapping[str, Any]],
    prove: Prove,
    pace: Pace | None = None,
    traces: Traces = NO_TRACES,
) -> Starlette:
    """Return the ASGI application."""

    async def open_session(request: Request) -> Response:
        opened = await relay.open_session(await read_model(request, api.OpenSession))
        return JSONResponse(opened.dump(), 201, headers={"Cache-Control": "no-store"})

    async def receive(request: Request) -> Response:
        await relay.receive(await read_model(request, api.SignedReceipt))
        return Response(status_code=204)

    async def playlist(request: Request) -> Response:
        session_id = read_session_id(request.headers.get(api.SESSION_HEADER))
        pool_id = read_pool_id(request.path_params["pool_id"])
        reload = read_directives(request.query_params.multi_items())
        name = request.path_params["name"]
        data = await while_connected(request, relay.playlist(session_id, pool_id, name, reload))
        headers = {"Cache-Control": "no-store"}
        if relay.is_draining:
            headers[api.DRAINING_HEADER] = "1"
        return Response(data, media_type=PLAYLIST_TYPE, headers=headers)

    async def show_path(request: Request) -> Response:
        found = path(read_pool_id(request.path_params["pool_id"]))
        return JSONResponse(found.dump(), headers={"Cache-Control": "no-store"})

    async def health(_: Request) -> Response:
        relay.require_ready()
        return JSONResponse({"status": "ok"})

    async def report(_: Request) -> Response:
        return JSONResponse(status(), headers={"Cache-Control": "no-store"})

    app = Starlette(
        routes=[
            Route("/v1/sessions", open_session, methods=["POST"]),
            Route("/v1/receipts", receive, methods=["POST"]),
            _get(f"/v1/streams/{{pool_id}}/{PATH_NAME}", show_path),
            # Of objects only what is no GET comes here, to be refused.
            _get("/v1/streams/{pool_id}/{name}", playlist),
            _get("/v1/status", report),
            identity_route(prove),
            _get("/healthz", health),
        ],
        middleware=[
            Middleware(RequestIds),
            Middleware(ObjectRoute, relay, pace),
            # Behind the route that carries the bytes: objects leave without a span.
            *tracing(traces),
            Middleware(cross_origin),
        ],
        exception_handlers=HANDLERS,
    )
    app.state.refusals = relay.refusals
    return app


def _get(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    route = Route(path, endpoint, methods=["GET"])
    # Starlette adds HEAD, which would count a segment as served and send none of it.
    route.methods = {"GET"}
    return route
