"""Connections whose reads all end by one deadline.

A timeout of each read alone lets a server drip its answer, and already its headers, one byte at a time for days.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import httpcore
import httpx
from typing_extensions import override

KEEPALIVE_SECONDS = 5.0
EXTENSION = "streamrp2p_deadline"
"""Of a request: the monotonic second by which its answer must have come."""


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's own transport, but that no read for a request goes on past the request's deadline.

    An exchange runs in one thread: several threads may share the transport.
    """

    def __init__(
        self,
        resolve: "Resolve | None" = None,
        tls: ssl.SSLContext | None = None,
        connect: "Connect | None" = None,
    ) -> None:
        """Connect to the addresses that `resolve` names, one by one; by default to all that a host's name has.

        `tls` says whose certificates are trusted, by default the machine's authorities'. `connect` takes another way
        to an address than straight ahead.
        """
        tls = tls or _tls()
        super().__init__(verify=tls)
        self._of_thread = threading.local()
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=None,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=_Backend(self._left, resolve or addresses_of, connect),
        )

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Its body is read later, but in the same thread."""
        self._of_thread.deadline = request.extensions.get(EXTENSION)
        return super().handle_request(request)

    def _left(self) -> float | None:
        deadline: float | None = getattr(self._of_thread, "deadline", None)
        return None if deadline is None else deadline - time.monotonic()


Left = Callable[[], float | None]
"""Tells how many seconds are left; None for no bound."""


Resolve = Callable[[str, int], Sequence[str]]
"""Takes a host and a port, and returns IP addresses to connect to; raises httpcore.ConnectError for none."""

Connect = Callable[[str, int, float | None], httpcore.NetworkStream]
"""Takes an IP address, a port and a timeout in seconds; raises httpcore.ConnectError or ConnectTimeout."""


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, left: Left) -> None:
        self._stream = stream
        self._left = left

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _shorter(timeout, self._left, httpcore.ReadTimeout))

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _shorter(timeout, self._left, httpcore.WriteTimeout))

    @override
    def close(self) -> None:
        self._stream.close()

    @override
    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        bounded = _shorter(timeout, self._left, httpcore.ConnectTimeout)
        return _Stream(
            self._stream.start_tls(ssl_context, server_hostname, bounded),
            self._left,
        )

    @override
    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def __init__(self, left: Left, resolve: Resolve, connect: Connect | None) -> None:
        self._left = left
        self._resolve = resolve
        self._connect = connect

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: httpcore.NetworkError | httpcore.TimeoutException | None = None
        # One by one: a name may have many addresses, and each would get the whole timeout.
        for address in self._resolve(host, port):
            bounded = _shorter(timeout, self._left, httpcore.ConnectTimeout)
            try:
                if self._connect is not None:
                    stream = self._connect(address, port, bounded)
                else:
                    stream = super().connect_tcp(
                        address, port, bounded, local_address, socket_options
                    )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._left)
        raise failure or httpcore.ConnectError("the name has no address")


def addresses_of(host: str, port: int) -> list[str]:
    """Look a host's name up; raises httpcore.ConnectError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return [str(address[0]) for *_, address in found]


@cache
def _tls() -> ssl.SSLContext:
    """Read the machine's certificates once: that takes longer than many an exchange."""
    return httpx.create_ssl_context()


def _shorter(timeout: float | None, left: Left, error: type[Exception]) -> float | None:
    """Return the timeout, or what is left if that is less; raises `error` when nothing is."""
    seconds = left()
    if seconds is None:
        return timeout
    if seconds <= 0:
        raise error("the answer takes too long")
    return seconds if timeout is None else min(timeout, seconds)
