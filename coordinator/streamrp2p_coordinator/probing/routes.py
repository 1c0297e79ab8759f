"""The ways that probes take to nodes and origins: straight ahead, or through proxies elsewhere on the internet.

Names are resolved and judged here in any case: a proxy is given the address that was judged, and only passes bytes on.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from urllib.parse import unquote

import httpcore
import httpx

from streamrp2p.deadline import Connect, DeadlineTransport
from streamrp2p_coordinator.errors import ConfigurationError
from streamrp2p_coordinator.outside.addresses import guarded_resolver

MAX_ANSWER_BYTES = 8192

Route = Callable[[], httpx.BaseTransport]
"""Makes a transport of one's own for each probe: no connection tells two of them to be one's."""


def routes(proxies: Sequence[str], *, allow_local_networks: bool) -> tuple[Route, ...]:
    """Return a way through each proxy, or straight ahead without one. Raises ConfigurationError for a bad URL."""
    resolve = guarded_resolver(allow_local_networks=allow_local_networks)
    ways: list[Connect | None] = [tunnel(proxy) for proxy in proxies]
    return tuple(_route(resolve, way) for way in ways or [None])


def _route(resolve: Callable[[str, int], Sequence[str]], way: Connect | None) -> Route:
    return lambda: DeadlineTransport(resolve, connect=way)


def tunnel(proxy: str) -> Connect:
    """Return how to reach an address through `http(s)://[user:password@]host:port`, by CONNECT (RFC 9110 9.3.6)."""
    try:
        url = httpx.URL(proxy)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        # Its text may hold a password.
        raise ConfigurationError("a proxy for probes is like http://user:password@host:3128")
    headers = ""
    if url.userinfo:
        secret = b64encode(unquote(url.userinfo.decode()).encode()).decode()
        headers = f"Proxy-Authorization: Basic {secret}\r\n"
    port = url.port or (443 if url.scheme == "https" else 80)

    def connect(address: str, to_port: int, timeout: float | None) -> httpcore.NetworkStream:
        stream = httpcore.SyncBackend().connect_tcp(url.host, port, timeout)
        try:
            if url.scheme == "https":
                stream = stream.start_tls(httpx.create_ssl_context(), url.host, timeout)
            target = f"[{address}]:{to_port}" if ":" in address else f"{address}:{to_port}"
            question = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{headers}\r\n"
            stream.write(question.encode(), timeout)
            _check_opened(stream, timeout)
        except BaseException:
            stream.close()
            raise
        return stream

    return connect


def _check_opened(stream: httpcore.NetworkStream, timeout: float | None) -> None:
    """Read the proxy's answer; the server behind it says nothing before it is asked."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = stream.read(MAX_ANSWER_BYTES, timeout)
        answer += data
        if not data or len(answer) > MAX_ANSWER_BYTES:
            raise httpcore.ConnectError("the proxy does not answer as one")
    if not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.0 2")):
        raise httpcore.ConnectError("the proxy opens no tunnel")
