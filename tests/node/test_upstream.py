"""Fetching from upstream: whatever it sends, what comes back is the origin's bytes or an OriginError."""

import asyncio
from collections.abc import AsyncIterator, Callable
from hashlib import sha256

import httpx
import pytest

from streamrp2p.numbers import Hash
from streamrp2p.playlist import MediaObject
from streamrp2p_node.errors import OriginError
from streamrp2p_node.known_objects import Listed
from streamrp2p_node.upstream import (
    Answer,
    Meter,
    OriginUpstream,
    Source,
    exchange,
    make_client,
)
from tests.node.fakes import DOMAIN, ORIGIN, ORIGIN_URL, POOL

PART = Listed(MediaObject("a.m4s", 7, Hash(sha256(b"segment").digest())), 0, 0, 0)


async def asked(answer: httpx.Response, max_bytes: int = 10, meter: Meter | None = None) -> Answer:
    async with make_client(httpx.MockTransport(lambda _: answer)) as client:
        return await exchange(
            client,
            "http://origin:1/x",
            max_bytes=max_bytes,
            max_seconds=5.0,
            meter=meter or Meter(),
        )


async def fetched(answer: httpx.Response | Callable[[httpx.Request], httpx.Response]) -> bytes:
    respond = answer if callable(answer) else lambda _: answer
    async with make_client(httpx.MockTransport(respond)) as client:
        origin = OriginUpstream(client, Source(POOL, ORIGIN_URL, ORIGIN, DOMAIN), Meter())
        return await origin.object(PART)


class Endless(httpx.AsyncByteStream):
    """A body without end; counts what was read of it."""

    def __init__(self, chunk: bytes, pause_seconds: float = 0.0) -> None:
        self.chunk = chunk
        self.pause_seconds = pause_seconds
        self.sent_bytes = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(self.pause_seconds)
            self.sent_bytes += len(self.chunk)
            yield self.chunk


async def test_bytes_come_as_they_are_and_are_counted() -> None:
    meter = Meter()
    assert (await asked(httpx.Response(200, content=b"segment"), meter=meter)).body == b"segment"
    assert meter.received_bytes == 7


async def test_object_is_asked_for_by_its_pool_and_name() -> None:
    paths = []

    def respond(request: httpx.Request) -> httpx.Response:
        paths.append(str(request.url))
        return httpx.Response(200, content=b"segment")

    assert await fetched(respond) == b"segment"
    assert paths == [f"{ORIGIN_URL}/v1/streams/{POOL}/a.m4s"]


async def test_body_without_end_is_refused_at_the_bound() -> None:
    body = Endless(bytes(8))
    with pytest.raises(OriginError, match="more than the 10 bytes expected"):
        await asked(httpx.Response(200, stream=body))
    assert body.sent_bytes == 16


async def test_drip_is_given_up_when_the_time_is_over() -> None:
    body = Endless(b"", pause_seconds=0.01)
    answer = httpx.Response(200, stream=body)
    async with make_client(httpx.MockTransport(lambda _: answer)) as client:
        with pytest.raises(OriginError, match="no whole answer"):
            await exchange(
                client, "http://origin:1/x", max_bytes=10, max_seconds=0.05, meter=Meter()
            )


async def test_refusal_longer_than_the_object_is_read_to_its_own_bound() -> None:
    assert (await asked(httpx.Response(402, content=bytes(1000)))).status == 402
    with pytest.raises(OriginError, match="more than the 65536 bytes"):
        await asked(httpx.Response(402, content=bytes(70_000)))


@pytest.mark.parametrize("body", [b"segmenT", b"segmen", b"segments", b""])
async def test_other_bytes_than_the_signed_ones_are_refused(body: bytes) -> None:
    with pytest.raises(OriginError):
        await fetched(httpx.Response(200, content=body))


@pytest.mark.parametrize("status", [204, 206, 304, 404, 500])
async def test_any_status_but_200_is_a_failure(status: int) -> None:
    with pytest.raises(OriginError, match=f"answered {status}"):
        await fetched(httpx.Response(status))


class Bomb(httpx.AsyncByteStream):
    """A body of which nothing must be read."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.was_read = True
        yield b"a kilobyte may become a gigabyte"

    was_read = False


async def test_compressed_body_is_refused_before_it_is_unpacked() -> None:
    bomb = Bomb()
    with pytest.raises(OriginError):
        await fetched(httpx.Response(200, stream=bomb, headers={"Content-Encoding": "gzip, gzip"}))
    assert not bomb.was_read


@pytest.mark.parametrize("location", ["http://xn--0/", "http:x", "http://elsewhere/"])
async def test_redirect_is_refused_wherever_it_leads(location: str) -> None:
    with pytest.raises(OriginError):
        await fetched(httpx.Response(302, headers={"Location": location}))


@pytest.mark.parametrize("host", ["xn--0", "999.1.1.1"])
async def test_origin_whose_name_is_none_is_a_failed_origin(host: str) -> None:
    async with make_client() as client:
        with pytest.raises(OriginError):
            await exchange(client, f"http://{host}/x", max_bytes=10, max_seconds=5.0, meter=Meter())
