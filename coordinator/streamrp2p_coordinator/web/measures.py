"""Counts requests: how many, how they ended, how long they took."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamrp2p.traced import named_route
from streamrp2p_coordinator.metrics import Metrics


class Measures:
    """ASGI middleware around all others, so that what they refuse is counted too."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it once it is over."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            method, route = named_route(scope)
            self._metrics.answered(method, route, status, time.perf_counter() - started)
