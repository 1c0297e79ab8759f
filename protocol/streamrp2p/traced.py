"""A span of each request, under the name of its route and with the id that its log lines have."""

from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import get_contextvars

from streamrp2p.traces import NO_TRACES, Traces

SERVER_FAULT = 500
UNKNOWN = "unknown"
"""The route and method of what is none of ours: strangers must not be able to make names."""


class Traced:
    """ASGI middleware inside that which names requests."""

    def __init__(self, app: ASGIApp, traces: Traces) -> None:
        self._app = app
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on within its span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._traces.span("request") as span:
            span.set("request.id", str(get_contextvars().get("request_id", "")))

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set("http.response.status_code", message["status"])
                    if message["status"] >= SERVER_FAULT:
                        span.fail()
                await send(message)

            try:
                await self._app(scope, receive, noted)
            finally:
                method, route = named_route(scope)
                span.rename(f"{method} {route}")


def tracing(traces: Traces) -> list[Middleware]:
    """Return what an application's middlewares need for its traces: nothing for none."""
    return [] if traces is NO_TRACES else [Middleware(Traced, traces)]


def named_route(scope: Scope) -> tuple[str, str]:
    """Return method and route of a request that was answered; UNKNOWN for what is none of ours."""
    route, method = scope.get("route"), scope["method"]
    if not isinstance(route, Route):
        return UNKNOWN, UNKNOWN
    return method if method in (route.methods or ()) else UNKNOWN, route.path
