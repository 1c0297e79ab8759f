"""Fetching from an origin: bounded in size and time, no redirects."""

import asyncio

import httpx

from streamrp2p.http_api import NO_ANSWER, PLAIN, check_plain
from streamrp2p_node.errors import OriginError

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
TOTAL_SECONDS = 20.0
"""Longer than any segment may take: a viewer's playback deadline is long over then."""


def make_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Return the client for all origins."""
    # A redirect could make the node fetch from inside its own network: none is followed.
    return httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        headers=PLAIN,
    )


async def fetch(client: httpx.AsyncClient, url: str, max_bytes: int) -> bytes:
    """Return the body of a 200 answer of at most `max_bytes`; raises OriginError."""
    try:
        async with asyncio.timeout(TOTAL_SECONDS), client.stream("GET", url) as response:
            if response.status_code != httpx.codes.OK:
                raise OriginError(f"the origin answered {response.status_code} for {url}")
            check_plain(response)
            return await _read(response, url, max_bytes)
    except TimeoutError as error:
        raise OriginError(f"the origin took longer than {TOTAL_SECONDS:.0f} s for {url}") from error
    except NO_ANSWER as error:
        raise OriginError(
            f"the origin does not give {url} ({type(error).__name__}); check that it runs"
        ) from error


async def _read(response: httpx.Response, url: str, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > max_bytes:
            raise OriginError(f"the origin sent more than the {max_bytes} bytes expected for {url}")
    return bytes(body)
