"""A bound on how often one address may post, before anything is read of it."""

from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from streamrp2p_coordinator.outside.rate_limit import RateLimit, asker_key
from streamrp2p_coordinator.web.problems import problem


class PostLimit:
    """ASGI middleware: answers 429 with Retry-After. This machine, where a proxy may be, is not bounded."""

    def __init__(self, app: ASGIApp, limit: RateLimit) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it is due."""
        wait_seconds = 0
        if scope["type"] == "http" and scope["method"] == "POST" and not _is_here(scope):
            wait_seconds = self._limit.take(asker_key(scope["client"][0]))
        if not wait_seconds:
            await self._app(scope, receive, send)
            return
        refusal = problem(
            429,
            "too-often",
            "Asked too often",
            f"too many requests from your address; wait {wait_seconds} s",
            {"Retry-After": str(wait_seconds)},
        )
        await refusal(scope, receive, send)


def _is_here(scope: Scope) -> bool:
    client = scope.get("client")
    if client is None:
        return True
    try:
        return ip_address(client[0]).is_loopback
    except ValueError:
        return False
