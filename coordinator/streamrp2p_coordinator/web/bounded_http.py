"""uvicorn's HTTP/1.1 connection, with a bound on how large a request's headers are and on how long they take.

Its parser keeps whatever comes until headers are whole, and waits for them for ever.
"""

import asyncio
from typing import Any, ClassVar

from starlette.responses import Response
from typing_extensions import override
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from streamrp2p_coordinator.web.problems import problem

LINE_BYTES = 4
"""What a header takes beside its name and value: colon, blank and the line's end."""


class BoundedHttp(HttpToolsProtocol):
    """One connection: answers 431 to headers that are too large, 408 to those that do not come, and ends there."""

    header_bytes: ClassVar[int] = 16_384
    """For path and headers. Browsers and proxies send a few hundred."""
    header_seconds: ClassVar[float] = 10.0
    """From a request's first byte to the end of its headers; of the first request, from the connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._is_in_headers = False
        self._came = 0
        """Bytes of the headers that are not whole yet."""
        self._deadline: asyncio.TimerHandle | None = None
        self._refusal: Response | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_headers()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end_wait()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._is_in_headers:
            self._came += len(data)
            if self._came > self.header_bytes:
                self._refuse(self._too_large())
        elif self._is_idle and self.timeout_keep_alive_task is None:
            # Empty lines begin no request, but have ended the wait for one.
            self._await_headers()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_headers, self._came = True, 0
        self._await_headers()

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        # What comes after a body would be kept as well.
        if self._is_in_headers:
            super().on_header(name, value)

    @override
    def on_headers_complete(self) -> None:
        self._is_in_headers = False
        self._end_wait()
        lengths = (len(name) + len(value) + LINE_BYTES for name, value in self.headers)
        if len(self.url) + sum(lengths) > self.header_bytes:
            self._refusal = self._too_large()
            raise _RefusedRequestError
        super().on_headers_complete()

    @override
    def send_400_response(self, msg: str) -> None:
        if self._refusal is not None or not self._is_idle:
            self._refuse(self._refusal)
        else:
            super().send_400_response(msg)

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_headers(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.header_seconds, self._too_slow)

    def _end_wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self.flow.read_paused:
            # Nothing is read on yet because of a request before this one.
            self._await_headers()
            return
        detail = "the headers did not come whole in time; send the request anew"
        self._refuse(problem(408, "too-slow", "The request came too slowly", detail))

    def _too_large(self) -> Response:
        detail = f"path and headers have at most {self.header_bytes} bytes; send fewer"
        return problem(431, "headers-too-large", "The headers are too large", detail)

    def _refuse(self, answer: Response | None) -> None:
        """End the connection, with an answer unless another one is under way."""
        self._end_wait()
        if answer is None or not self._is_idle:
            self.transport.abort()
            return
        head = [STATUS_LINE[answer.status_code]]
        head += [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
        self.transport.write(b"".join([*head, b"connection: close\r\n\r\n", bytes(answer.body)]))
        self.transport.close()
        # Should the client not even take that.
        self._deadline = self.loop.call_later(self.header_seconds, self.transport.abort)


class _RefusedRequestError(Exception):
    """Ends the parser's work on a request that is refused."""
