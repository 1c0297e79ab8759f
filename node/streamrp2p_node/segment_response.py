"""A response that tells how much of its body did not leave."""

from collections.abc import Callable

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

CHUNK_BYTES = 128 * 1024
"""The server holds back a sender after 64 KiB, so what was handed over has nearly all left."""


class SegmentResponse(Response):
    """Sends `data` in chunks. When the viewer hangs up, `on_unsent` gets the number of bytes that were held back."""

    def __init__(self, data: bytes, media_type: str, on_unsent: Callable[[int], None]) -> None:
        super().__init__(
            data, media_type=media_type, headers={"Cache-Control": "private, no-store"}
        )
        self._on_unsent = on_unsent

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002 - the interface of ASGI
        receive: Receive,
        send: Send,
    ) -> None:
        """Send the response."""
        sent = 0
        total = len(self.body)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while sent < total and not await _is_gone(receive):
                chunk = self.body[sent : sent + CHUNK_BYTES]
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                sent += len(chunk)
            if sent == total:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if sent < total:
                self._on_unsent(total - sent)


async def _is_gone(receive: Receive) -> bool:
    """Tell, without waiting, whether the viewer has hung up."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        message = await receive()
        return bool(message["type"] == "http.disconnect")
    return False
