"""uvicorn's HTTP/1.1 connection, with a bound on how large a request's headers are and on how long they take.

Its parser keeps whatever comes until headers are whole, and waits for them for ever.
"""

import asyncio
from typing import Any, ClassVar

from starlette.responses import Response
from typing_extensions import override
from uvicorn import Config
from uvicorn.server import ServerState

from streamrp2p.refusing_http import RefusedRequestError, RefusingHttp
from streamrp2p_coordinator.web.problems import problem

class BoundedHttp(RefusingHttp):
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
        self._came = 0
        """Bytes of the headers that are not whole yet."""

    @property
    @override
    def unread_seconds(self) -> float:
        return self.header_seconds

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_headers()

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
        elif self.is_idle and self.timeout_keep_alive_task is None:
            # Empty lines begin no request, but have ended the wait for one.
            self._await_headers()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_headers, self._came = True, 0
        self._await_headers()

    @override
    def on_headers_complete(self) -> None:
        self._is_in_headers = False
        self._disarm()
        if self._header_bytes() > self.header_bytes:
            self._refusal = self._too_large()
            raise RefusedRequestError
        super().on_headers_complete()

    def _await_headers(self) -> None:
        if self._deadline is None:
            self._arm(self.header_seconds, self._too_slow)

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
