"""A browser's requests on the wire: the headers of a real one, in its order, and the question before each request.

`chromium.json` says when and with what it was recorded; tests/browser/test_live.py compares it with a browser.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from ipaddress import ip_address
from typing import cast

import httpx
from typing_extensions import override

from streamrp2p import api
from streamrp2p.numbers import Hash

SESSIONS, RECEIPTS = "/v1/sessions", "/v1/receipts"
PLAIN_ENCODINGS = "gzip, deflate"
"""What a browser takes where nothing protects the connection."""
LONGEST_PERMISSION_SECONDS = 7200
"""Chromium remembers no permission for longer."""


@dataclass(frozen=True, slots=True)
class WireImage:
    """The headers of a browser: their values where these never change, and their order by kind of request."""

    values: Mapping[str, str]
    orders: Mapping[str, Sequence[str]]

    @classmethod
    def load(cls) -> "WireImage":
        """Read the recorded one."""
        recorded = json.loads(files(__package__).joinpath("chromium.json").read_text())
        return cls(recorded["values"], recorded["orders"])


@dataclass(slots=True)
class Exchange:
    """How one answer came. Times are monotonic seconds; the digest is of all its bytes."""

    name: str
    """The last part of the path."""
    asked_at: float
    status: int = 0
    first_byte_at: float | None = None
    ended_at: float | None = None
    length_bytes: int = 0
    is_encoded: bool = False
    """Whether the server compressed it, which nobody but a browser could read."""
    digest: Hash | None = None


class BrowserTransport(httpx.BaseTransport):
    """Sends what it is given as a browser on a page of `site` would, and notes how each answer came."""

    def __init__(self, inner: httpx.BaseTransport, site: str) -> None:
        self._inner = inner
        self._site = httpx.URL(site)
        self._image = WireImage.load()
        self._allowed_until = float("-inf")
        self.exchanges: list[Exchange] = []

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask for permission where a browser must, then send."""
        asked_at = time.monotonic()
        kind = _kind(request)
        if kind != "receipt":
            # Requests that no cache may answer have no cached permission either.
            self._ask(request, "preflight")
        elif asked_at >= self._allowed_until:
            seconds = self._ask(request, "preflightOfReceipts")
            self._allowed_until = asked_at + min(seconds, LONGEST_PERMISSION_SECONDS)
        response = self._inner.handle_request(self._dressed(request, kind))
        exchange = Exchange(request.url.path.rpartition("/")[2], asked_at, response.status_code)
        exchange.is_encoded = "Content-Encoding" in response.headers
        self.exchanges.append(exchange)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Noted(cast("httpx.SyncByteStream", response.stream), exchange),
            extensions=response.extensions,
        )

    @override
    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _ask(self, request: httpx.Request, kind: str) -> int:
        """Ask whether the page may send the request; for how many seconds it need not ask again."""
        response = self._inner.handle_request(self._dressed(request, kind))
        try:
            for _ in cast("httpx.SyncByteStream", response.stream):
                pass
        finally:
            response.close()
        age = response.headers.get("Access-Control-Max-Age", "")
        return int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 5  # noqa: PLR2004 - Fetch's default

    def _dressed(self, request: httpx.Request, kind: str) -> httpx.Request:
        is_question = kind.startswith("preflight")
        url, is_safe = request.url, _is_trustworthy(request.url)
        custom = api.SESSION_HEADER if request.method == "GET" else "Content-Type"
        own = {
            "Host": request.headers["Host"],
            "Origin": self._origin(url),
            "Content-Length": str(len(request.content)),
            "Access-Control-Request-Method": request.method,
            "Access-Control-Request-Headers": custom.lower(),
            api.SESSION_HEADER: request.headers.get(api.SESSION_HEADER, ""),
        }
        headers = []
        for name in self._image.orders[kind]:
            if name.lower().startswith("sec-") and not is_safe:
                continue
            value = own.get(name) or self._image.values.get(name, "")
            if name == "Accept-Encoding" and not is_safe:
                value = PLAIN_ENCODINGS
            if value:
                headers.append((name, value))
        return httpx.Request(
            "OPTIONS" if is_question else request.method,
            url,
            headers=headers,
            content=None if is_question or not request.content else request.content,
            extensions=request.extensions,
        )

    def _origin(self, url: httpx.URL) -> str:
        """Return the page's origin. A page under https may not load from http, so its viewers there come from http."""
        is_http = url.scheme == "http" and not _is_trustworthy(url)
        site = self._site.copy_with(scheme="http") if is_http else self._site
        return str(site.copy_with(raw_path=b"/")).rstrip("/")


class _Noted(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, exchange: Exchange) -> None:
        self.stream = stream
        self.exchange = exchange
        self._digest = sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.stream:
            if self.exchange.first_byte_at is None:
                self.exchange.first_byte_at = time.monotonic()
            self.exchange.length_bytes += len(chunk)
            self._digest.update(chunk)
            yield chunk
        self.exchange.ended_at = time.monotonic()
        self.exchange.digest = Hash(self._digest.digest())

    def close(self) -> None:
        self.stream.close()


def _kind(request: httpx.Request) -> str:
    path = request.url.path
    if request.method == "GET":
        return "get"
    return "receipt" if path.endswith(RECEIPTS) else "open"


def _is_trustworthy(url: httpx.URL) -> bool:
    """Tell whether browsers send to a URL what they send over protected connections alone."""
    if url.scheme == "https" or url.host == "localhost":
        return True
    try:
        return ip_address(url.host).is_loopback
    except ValueError:
        return False
