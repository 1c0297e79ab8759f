"""Headers that are huge, many or slow, sent to a real socket, are refused before anything keeps them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streamrp2p_coordinator import server as module
from streamrp2p_coordinator.web.bounded_http import BoundedHttp
from tests.support.ports import find_free_port

pytestmark = pytest.mark.integration

KIB = 1024
HEAD = b"GET / HTTP/1.1\r\nHost: coordinator\r\n"
GET = HEAD + b"\r\n"


class Quick(BoundedHttp):
    """Waits less than one would."""

    header_seconds = 0.5


@asynccontextmanager
async def serving(http: type[BoundedHttp] = BoundedHttp) -> AsyncIterator[int]:
    async def lengths(request: Request) -> Response:
        return JSONResponse({"headers": len(request.headers), "body": len(await request.body())})

    app = Starlette(routes=[Route("/", lengths, methods=["GET", "POST"])])
    port = find_free_port()
    config = uvicorn.Config(app, port=port, http=http, ws="none", log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    try:
        while not server.started:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        await running


async def exchange(port: int, pieces: Iterable[bytes], pause_seconds: float = 0.0) -> bytes:
    """Send pieces until the server answers or closes; all that came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(_all_of(reader))
    try:
        for piece in pieces:
            if answer.done():
                break
            writer.write(piece)
            await writer.drain()
            await asyncio.wait([answer], timeout=pause_seconds)
        return await answer
    except ConnectionError:
        return await answer
    finally:
        writer.close()


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    came = b""
    try:
        while data := await reader.read(KIB):
            came += data
    except ConnectionError:
        pass
    return came


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"X-One: " + b"a" * 17 * KIB + b"\r\n", id="one that is long"),
        pytest.param(b"X: y\r\n" * 3000, id="many that are short"),
        pytest.param(b"X-One: " + b"a" * 64 * KIB + b"\r\n", id="64 KiB"),
    ],
)
async def test_headers_that_are_too_large_get_a_problem(headers: bytes) -> None:
    async with serving() as port:
        answer = await exchange(port, [HEAD + headers + b"\r\n"])
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 "), answer
    assert b"connection: close" in head
    assert b'"urn:streamrp2p:problem:headers-too-large"' in body


async def test_a_path_counts_as_well() -> None:
    async with serving() as port:
        answer = await exchange(port, [b"GET /?" + b"a" * 17 * KIB + b" HTTP/1.1\r\n\r\n"])
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_headers_without_an_end_are_cut_off_early() -> None:
    sent = 0

    def endless() -> Iterable[bytes]:
        nonlocal sent
        yield HEAD + b"X-One: "
        while sent < 64 * KIB * KIB:
            sent += 4 * KIB
            yield b"a" * 4 * KIB

    async with serving() as port:
        answer = await exchange(port, endless(), pause_seconds=0.01)
    # What was on its way when the server closed may have reset the connection before its answer was read.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")
    assert sent < KIB * KIB


async def test_headers_that_come_drop_by_drop_are_not_waited_for() -> None:
    drops = (bytes([byte]) for byte in HEAD + b"X: " + b"y" * 10_000)
    async with serving(Quick) as port:
        answer = await exchange(port, drops, pause_seconds=0.02)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"urn:streamrp2p:problem:too-slow"' in answer


@pytest.mark.parametrize("sent", [[b""], [GET, b"\r\n"]], ids=["nothing", "an empty line later"])
async def test_a_connection_that_asks_nothing_ends(sent: list[bytes]) -> None:
    async with serving(Quick) as port:
        answer = await asyncio.wait_for(exchange(port, sent, pause_seconds=0.3), 60)
    assert b"HTTP/1.1 408 " in answer


async def test_trailers_are_not_kept() -> None:
    post = b"POST / HTTP/1.1\r\nHost: c\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving() as port:
        answer = await exchange(port, [post, b"2\r\nab\r\n0\r\nX-Late: yes\r\n\r\n"])
    assert answer.endswith(b'{"headers":3,"body":2}')


async def test_who_sends_what_a_browser_sends_is_served_again_and_again() -> None:
    large = {"X-Forwarded-For": ", ".join(["203.0.113.7"] * 500)}
    async with serving(Quick) as port, httpx.AsyncClient() as client:
        for body in (b"", b"a" * 200 * KIB, b"a"):
            answer = await client.post(f"http://127.0.0.1:{port}/", content=body, headers=large)
            assert (answer.status_code, answer.json()["body"]) == (200, len(body))


async def test_other_nonsense_is_refused_as_before() -> None:
    async with serving() as port:
        assert (await exchange(port, [b"\x16\x03\x01 hello\r\n\r\n"])).startswith(b"HTTP/1.1 400 ")


def test_the_coordinator_s_server_has_these_bounds() -> None:
    config = module.http_config(Starlette())
    assert (config.http, config.ws) == (BoundedHttp, "none")
