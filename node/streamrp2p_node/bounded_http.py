"""uvicorn's HTTP/1.1 connection, bounded: no client holds the node with slow, huge, idle or unread requests."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, ClassVar, Protocol

from starlette.responses import Response
from structlog.contextvars import bound_contextvars
from typing_extensions import override
from uvicorn import Config
from uvicorn.server import ServerState

from streamrp2p.refusing_http import RefusedRequestError, RefusingHttp
from streamrp2p.request_id import HEADER as ID_HEADER
from streamrp2p.request_id import request_id_of
from streamrp2p_node.errors import Reason
from streamrp2p_node.problems import problem
from streamrp2p_node.settings import DEFAULT_MAX_CONNECTIONS, DEFAULT_MAX_CONNECTIONS_PER_ADDRESS


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one client, and all together, may take of the node."""

    header_seconds: float = 10.0
    """For all headers of a request, from the first byte; of the first request, from the connection."""
    body_seconds: float = 15.0
    """For a request's body, from the end of its headers."""
    stall_seconds: float = 30.0
    """How long an answer may wait for a client that takes nothing of it."""
    header_bytes: int = 16 * 1024
    body_bytes: int = 1024 * 1024
    """On the wire; what is read of a body is bounded far below."""
    pipelined: int = 8
    """Requests that wait for the answers to those before them on a connection."""
    connections: int = DEFAULT_MAX_CONNECTIONS
    connections_per_address: int = DEFAULT_MAX_CONNECTIONS_PER_ADDRESS
    """Loopback, where proxies are, is not bounded; 0: nobody is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer that is in memory: status line and headers, each with its line's end, and the body."""

    head: bytes
    body: bytes | memoryview


class Direct(Protocol):
    """Answers without the application what it can."""

    def answer(self, url: bytes, headers: Mapping[bytes, bytes]) -> Answer | None:
        """Return the answer to a GET of a URL, with headers in lower case; None to leave it to the application."""


_NOT_DIRECT = frozenset({b"content-length", b"transfer-encoding", b"expect"})
"""Headers of requests with a body."""
_GET_LINE = re.compile(rb"GET (/[!-~]*) HTTP/1\.1")


class _Open:
    """The open connections, the one that was longest without a request first."""

    def __init__(self) -> None:
        self.all: dict[BoundedHttp, None] = {}
        self.of_client: Counter[str | int] = Counter()

    def idle(self) -> "BoundedHttp | None":
        """Return who would miss its connection least: one that never asked for anything, or one between requests."""
        silent = (each for each in self.all if not each.has_asked)
        resting = (each for each in self.all if each.is_idle)
        return next(silent, None) or next(resting, None)


class BoundedHttp(RefusingHttp):
    """One connection of a server that `bounded_http` describes."""

    bounds: ClassVar[Bounds]
    opened: ClassVar[_Open]
    direct: ClassVar[Direct | None]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._owner: str | int | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._is_in_body = False
        self._bytes = 0
        self._answer: Answer | None = None
        self._answered_headers: Mapping[bytes, bytes] = {}
        self._answered_block: bytes | None = None
        """What followed the first line of a request that came by itself and was answered directly: its headers."""
        self._begun = self._answered = 0
        """Requests that began, and that were answered directly, with the bytes that came last."""
        self._answered_at = float("-inf")
        """When the last direct answer was written, by the loop's clock."""
        self.has_asked = False

    @property
    @override
    def unread_seconds(self) -> float:
        return self.bounds.stall_seconds

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        opened, bounds = self.opened, self.bounds
        self._owner = _owner_of(self.client[0]) if self.client else None
        mine = 0 if self._owner is None else opened.of_client[self._owner]
        if 0 < bounds.connections_per_address <= mine:
            self._owner = None
            self._refuse(_too_many(f"this address has {mine} connections open already"))
            return
        if len(opened.all) >= bounds.connections:
            other = opened.idle()
            if other is None:
                self._owner = None
                self._refuse(_too_many("all of this node's connections are in use"))
                return
            other.transport.abort()
            other.forget()
        opened.all[self] = None
        if self._owner is not None:
            opened.of_client[self._owner] += 1
        self._arm(bounds.header_seconds, self._too_slow)

    def forget(self) -> None:
        """Count the connection no longer."""
        self.opened.all.pop(self, None)
        if self._owner is not None:
            self.opened.of_client[self._owner] -= 1
            self.opened.of_client += Counter()
            self._owner = None

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end_stall()
        self.forget()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing() or self._answer_again(data):
            return
        is_between = not (self._is_in_headers or self._is_in_body)
        self._begun = self._answered = 0
        super().data_received(data)
        line, _, block = data.partition(b"\r\n")
        is_alone = is_between and self._begun == self._answered == 1 and _GET_LINE.fullmatch(line)
        self._answered_block = block if is_alone else None
        if not self.transport.is_closing():
            self._bound_what_came(data)

    def _bound_what_came(self, data: bytes) -> None:
        if self._is_in_headers:
            self._bytes += len(data)
            if self._bytes > self.bounds.header_bytes:
                self._refuse(self._headers_too_large())
            elif self._deadline is None:
                self._arm(self.bounds.header_seconds, self._too_slow)
        elif self._is_in_body:
            self._bytes += len(data)
            if self._bytes > self.bounds.body_bytes:
                self.transport.abort()
            elif self._deadline is None:
                self._arm(self.bounds.body_seconds, self._too_slow)
        elif self.is_idle and self._deadline is None and self.timeout_keep_alive_task is None:
            # Empty lines begin no request, but have ended the wait for one.
            self._arm(self.bounds.header_seconds, self._too_slow)

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_headers, self._bytes = True, 0
        self._begun += 1

    @override
    def on_headers_complete(self) -> None:
        if self._header_bytes() > self.bounds.header_bytes:
            self._refusal = self._headers_too_large()
            raise RefusedRequestError
        if len(self.pipeline) >= self.bounds.pipelined:
            raise RefusedRequestError
        self._is_in_headers, self._is_in_body, self._bytes = False, True, 0
        self._disarm()
        self.has_asked = True
        self._answer = self._answer_directly()
        if self._answer is None:
            super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        self._is_in_body = False
        self._disarm()
        answer, self._answer = self._answer, None
        if answer is None:
            super().on_message_complete()
            return
        self._write(answer)

    def _answer_directly(self) -> Answer | None:
        """Return the answer if it can be written at once: the only one, on a connection that goes on.

        Requests that came together are the application's, where their number is bounded.
        """
        parser = self.parser
        if (
            self.direct is None
            or parser.get_method() != b"GET"
            or self._answered
            or parser.get_http_version() != "1.1"
            or parser.should_upgrade()
            or not parser.should_keep_alive()
        ):
            return None
        # Of a header that comes twice the first counts, as for all routes.
        headers = dict(reversed(self.headers))
        if _NOT_DIRECT & headers.keys():
            return None
        self._answered_headers = headers
        return self._ask(self.url)

    def _answer_again(self, data: bytes) -> bool:
        """Answer a GET whose headers are those of the one before, to the byte, as players' are: without the parser."""
        line, _, block = data.partition(b"\r\n")
        found = _GET_LINE.fullmatch(line) if block == self._answered_block else None
        answer = None if found is None else self._ask(found[1])
        if answer is None:
            return False
        self._disarm()
        self._write(answer)
        return True

    def _ask(self, url: bytes) -> Answer | None:
        if self.direct is None or not self.is_idle or self.transport.get_write_buffer_size():
            return None
        try:
            return self.direct.answer(url, self._answered_headers)
        except Exception:
            # The parser takes what is raised for the client's fault.
            with bound_contextvars(request_id=self._request_id().decode()):
                self.logger.exception("Exception in direct answer")
            raise

    def _write(self, answer: Answer) -> None:
        headers = (*self.server_state.default_headers, (ID_HEADER, self._request_id()))
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.writelines([b"".join([answer.head, *lines, b"\r\n"]), answer.body])
        self._answered += 1
        self.server_state.total_requests += 1
        # A timer for each answer would cost as much as a look at the ticket: the one that runs looks at this time.
        self._answered_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._await_request(self.timeout_keep_alive)
        self._goes_last()

    def _await_request(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def _request_id(self) -> bytes:
        return request_id_of(self._answered_headers.get(ID_HEADER, b""))

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._goes_last()

    def _goes_last(self) -> None:
        """Go to the end of those that could be closed."""
        if self in self.opened.all:
            self.opened.all[self] = self.opened.all.pop(self)

    @override
    def timeout_keep_alive_handler(self) -> None:
        left = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._await_request(left)
        elif self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_stall()

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_stall()

    def _watch_stall(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._stall = self.loop.call_later(self.bounds.stall_seconds, self._look_at_stall, left)

    def _look_at_stall(self, left_before: int) -> None:
        if self.transport.get_write_buffer_size() < left_before:
            self._watch_stall()
        else:
            self.transport.abort()

    def _end_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _too_slow(self) -> None:
        if self.flow.read_paused:
            # The node itself does not read on yet, because of a request before this one.
            self._arm(self.bounds.body_seconds, self._too_slow)
            return
        self._refuse(
            problem(Reason.REQUEST_TOO_SLOW, "the request did not come whole in time; send it anew")
        )

    def _headers_too_large(self) -> Response:
        return problem(
            Reason.HEADERS_TOO_LARGE,
            f"path and headers exceed {self.bounds.header_bytes} bytes; send fewer",
        )


def bounded_http(bounds: Bounds, direct: Direct | None = None) -> type[BoundedHttp]:
    """Return the protocol of one server, for `uvicorn.Config(http=…)`; `direct` is asked before the application."""

    class Http(BoundedHttp):
        pass

    Http.bounds, Http.opened = bounds, _Open()
    Http.direct = direct
    return Http


def _owner_of(host: str) -> str | int | None:
    """Return who has an address: of IPv6 the /64 network, which a home has whole; None for this machine."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return None
    return int(address) >> 64 if isinstance(address, IPv6Address) else str(address)


def _too_many(detail: str) -> Response:
    return problem(Reason.TOO_MANY_CONNECTIONS, f"{detail}; close some, or try another node")
