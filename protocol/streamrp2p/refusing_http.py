"""uvicorn's HTTP/1.1 connection, able to refuse a request that is not whole yet: what nodes and coordinators bound."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from typing_extensions import override
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

LINE_BYTES = 4
"""What a header takes beside its name and value: colon, blank and the line's end."""


class RefusedRequestError(Exception):
    """Ends the parser's work on a request that is refused."""


class RefusingHttp(HttpToolsProtocol):
    """One connection with a deadline for what it waits for, and a way to end it with an answer."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._deadline: asyncio.TimerHandle | None = None
        self._is_in_headers = False
        self._refusal: Response | None = None
        """What RefusedRequestError is to be answered with; None: nothing, the connection is cut."""

    @property
    def is_idle(self) -> bool:
        """Tell whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def unread_seconds(self) -> float:
        """How long a client may take to read a refusal."""
        raise NotImplementedError

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        # What comes after a body would be kept as well.
        if self._is_in_headers:
            super().on_header(name, value)

    @override
    def send_400_response(self, msg: str) -> None:
        if self._refusal is not None or not self.is_idle:
            self._refuse(self._refusal)
        else:
            super().send_400_response(msg)

    def _header_bytes(self) -> int:
        """Return how long path and headers are, once they are whole."""
        lengths = (len(name) + len(value) + LINE_BYTES for name, value in self.headers)
        return len(self.url) + sum(lengths)

    def _arm(self, seconds: float, act: Callable[[], None]) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, act)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, answer: Response | None) -> None:
        """End the connection, with an answer unless another one is under way."""
        self._disarm()
        if answer is None or not self.is_idle:
            self.transport.abort()
            return
        head = [STATUS_LINE[answer.status_code]]
        head += [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
        self.transport.write(b"".join([*head, b"connection: close\r\n\r\n", bytes(answer.body)]))
        self.transport.close()
        # Should the client not even take that.
        self._arm(self.unread_seconds, self.transport.abort)
