"""A span of each request, under the name of its route and with the id that its log lines have."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import get_contextvars

from streamrp2p.traces import Traces
from streamrp2p_coordinator.web.measures import named_route

SERVER_FAULT = 500


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
