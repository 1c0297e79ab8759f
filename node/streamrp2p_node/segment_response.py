"""How an object's bytes leave: in large pieces that are not copied, with an account of those that did not leave."""

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

CHUNK_BYTES = 256 * 1024
"""The server holds back a sender after 64 KiB, so all but the last chunk has left when the next is handed over."""


class SegmentResponse(Response):
    """Sends `data`, or the bytes of it that `part` names.

    When the viewer hangs up, `on_unsent` gets how many of them did not leave.
    """

    def __init__(
        self,
        data: bytes,
        media_type: str,
        on_unsent: Callable[[int], None],
        part: range | None = None,
    ) -> None:
        headers = {"Cache-Control": "private, no-store", "Accept-Ranges": "bytes"}
        self._data = memoryview(data)
        if part is not None:
            self._data = self._data[part.start : part.stop]
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(data)}"
        headers["Content-Length"] = str(len(self._data))
        # The body is not Starlette's: it would be copied.
        super().__init__(None, 200 if part is None else 206, headers, media_type)
        self._on_unsent = on_unsent

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002 - the interface of ASGI
        receive: Receive,
        send: Send,
    ) -> None:
        """Send the response."""
        sent, total = 0, len(self._data)
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            while not _is_gone(receive):
                chunk = self._data[sent : sent + CHUNK_BYTES]
                is_last = sent + len(chunk) == total
                await send({"type": "http.response.body", "body": chunk, "more_body": not is_last})
                sent += len(chunk)
                if is_last:
                    break
        finally:
            if sent < total:
                self._on_unsent(total - sent)


def _is_gone(receive: Receive) -> bool:
    """Tell, without waiting, whether the viewer has hung up."""
    waiting = receive()
    try:
        # One step of the coroutine: it ends if there is a message, and waits if there is none.
        waiting.send(None)  # type: ignore[attr-defined]
    except StopIteration as message:
        return bool(message.value["type"] == "http.disconnect")
    waiting.close()  # type: ignore[attr-defined]
    return False
