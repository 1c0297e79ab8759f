"""Fetching from an origin: whatever it sends, what comes back is its bytes or an OriginError."""

from collections.abc import AsyncIterator

import httpx
import pytest

from streamrp2p_node.errors import OriginError
from streamrp2p_node.upstream import fetch, make_client


async def fetched(answer: httpx.Response, max_bytes: int = 10) -> bytes:
    async with make_client(httpx.MockTransport(lambda _: answer)) as client:
        return await fetch(client, "http://origin:1/x", max_bytes)


async def test_bytes_come_as_they_are() -> None:
    assert await fetched(httpx.Response(200, content=b"segment")) == b"segment"


async def test_larger_body_than_expected_is_refused() -> None:
    with pytest.raises(OriginError, match="more than the 10 bytes expected"):
        await fetched(httpx.Response(200, content=bytes(11)))


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
            await fetch(client, f"http://{host}/x", 10)
