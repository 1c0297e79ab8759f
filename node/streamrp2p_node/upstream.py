"""Where a stream comes from: what every upstream does, and the pool's origin as the first of them."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import httpx

from streamrp2p.errors import MalformedError, SignatureError
from streamrp2p.http_api import NO_ANSWER, PLAIN, check_plain
from streamrp2p.numbers import Address
from streamrp2p.playlist import MAX_PLAYLIST_BYTES, matches
from streamrp2p.traces import NO_TRACES, Traces
from streamrp2p.typed_data import Domain
from streamrp2p_node.errors import OriginError, TooLargeError
from streamrp2p_node.known_objects import Listed

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
TOTAL_SECONDS = 20.0
"""Longer than any object may take: a viewer's playback deadline is long over then."""

MAX_REFUSAL_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Source:
    """A pool's stream as the pool's record says: where its origin is and who signs it."""

    pool_id: int
    origin_url: str
    origin: Address
    domain: Domain

    def url(self, base_url: str, name: str) -> str:
        """Return where a server has an object, a playlist or the path of this stream."""
        return f"{base_url}/v1/streams/{self.pool_id}/{name}"


class Signed(Protocol):
    """A verified playlist of either kind."""

    @property
    def published_at(self) -> int:
        """Return when the origin signed it, in Unix seconds of the origin's clock."""


Text = TypeVar("Text", bound=Signed)


class Upstream(Protocol):
    """Gives one stream's playlists and objects, and nothing that the origin's key does not vouch for."""

    @property
    def path(self) -> tuple[Address, ...]:
        """Return the relays that the stream comes through before this node, from the origin's side on."""

    @property
    def endpoint(self) -> str | None:
        """Return the base URL of the relay that feeds the stream now; None for the origin."""

    async def playlist(
        self, name: str, verify: Callable[[bytes], Text], *, max_seconds: float = TOTAL_SECONDS
    ) -> tuple[bytes, Text]:
        """Return the playlist `name`, which may end in a query, as bytes and verified; raises OriginError.

        `verify` raises SignatureError or MalformedError.
        """

    async def object(self, listed: Listed) -> bytes:
        """Return an object whose hash was checked; raises OriginError."""

    async def close(self) -> None:
        """Settle what is owed and close what is open."""


@dataclass(slots=True)
class Meter:
    """What came from one kind of upstream since the start. Bytes are those of all bodies, refused ones included."""

    objects: int = 0
    playlists: int = 0
    received_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one pool's stream cost upstream."""

    origin: Meter = field(default_factory=Meter)
    relays: Meter = field(default_factory=Meter)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of an upstream, read whole."""

    status: int
    headers: httpx.Headers
    body: bytes


class OriginUpstream:
    """The pool's origin."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        source: Source,
        meter: Meter,
        traces: Traces = NO_TRACES,
    ) -> None:
        self._client = client
        self._source = source
        self._meter = meter
        self._traces = traces

    @property
    def path(self) -> tuple[Address, ...]:
        """Return no relay; see `Upstream`."""
        return ()

    @property
    def endpoint(self) -> str | None:
        """Return None; see `Upstream`."""
        return None

    async def playlist(
        self, name: str, verify: Callable[[bytes], Text], *, max_seconds: float = TOTAL_SECONDS
    ) -> tuple[bytes, Text]:
        """Return a playlist; see `Upstream`."""
        self._meter.playlists += 1
        data = await self._fetch(name, MAX_PLAYLIST_BYTES, max_seconds, silent_seconds=max_seconds)
        try:
            return data, await asyncio.to_thread(verify, data)
        except (SignatureError, MalformedError) as error:
            raise OriginError(f"the origin's playlist is refused: {error}") from error

    async def object(self, listed: Listed) -> bytes:
        """Return an object; see `Upstream`."""
        wanted = listed.object
        self._meter.objects += 1
        with traced_fetch(self._traces, self._source, listed, "origin"):
            data = await self._fetch(wanted.name, wanted.length_bytes, TOTAL_SECONDS, READ_SECONDS)
            if not await asyncio.to_thread(matches, wanted, data):
                raise OriginError(f"the origin sent {wanted.name} with another hash than it signed")
        return data

    async def close(self) -> None:
        """Do nothing: the origin is owed nothing."""

    async def _fetch(
        self, name: str, max_bytes: int, max_seconds: float, silent_seconds: float
    ) -> bytes:
        url = self._source.url(self._source.origin_url, name)
        answer = await exchange(
            self._client,
            url,
            max_bytes=max_bytes,
            max_seconds=max_seconds,
            silent_seconds=silent_seconds,
            meter=self._meter,
        )
        if answer.status != httpx.codes.OK:
            raise OriginError(f"the origin answered {answer.status} for {url}")
        return answer.body


@contextmanager
def traced_fetch(
    traces: Traces, source: Source, listed: Listed, upstream: Literal["origin", "relay"]
) -> Iterator[None]:
    """Make a span of an object's way here. It is within no request's: all who want the object wait for it."""
    with traces.span("fetch object", is_root=True) as span:
        span.set("pool.id", source.pool_id)
        span.set("upstream", upstream)
        span.set("object.bytes", listed.object.length_bytes)
        yield


def make_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Return the client for all origins and relays."""
    # A redirect could make the node fetch from inside its own network: none is followed.
    return httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        headers=PLAIN,
    )


async def exchange(
    client: httpx.AsyncClient,
    url: str,
    *,
    max_bytes: int,
    max_seconds: float,
    meter: Meter,
    silent_seconds: float = READ_SECONDS,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Answer:
    """Return an answer of at most `max_bytes` within `max_seconds`, whatever its status; raises OriginError.

    A server that sends nothing for `silent_seconds` is given up. All that came counts in `meter`, also then.
    """
    timeout = httpx.Timeout(silent_seconds, connect=CONNECT_SECONDS)
    try:
        async with (
            asyncio.timeout(max_seconds),
            client.stream(
                method, url, headers=headers, content=content, timeout=timeout
            ) as response,
        ):
            check_plain(response)
            # What a refusal says may be longer than what was asked for.
            is_refusal = response.status_code != httpx.codes.OK
            bound = max(max_bytes, MAX_REFUSAL_BYTES) if is_refusal else max_bytes
            body = await _read(response, url, bound, meter)
            return Answer(response.status_code, response.headers, body)
    except TimeoutError as error:
        raise OriginError(f"no whole answer in {max_seconds:.0f} s from {url}") from error
    except NO_ANSWER as error:
        raise OriginError(
            f"{url} is not to be had ({type(error).__name__}); check that the server runs"
        ) from error


async def _read(response: httpx.Response, url: str, max_bytes: int, meter: Meter) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        meter.received_bytes += len(chunk)
        body += chunk
        if len(body) > max_bytes:
            raise TooLargeError(f"more than the {max_bytes} bytes expected came from {url}")
    return bytes(body)
