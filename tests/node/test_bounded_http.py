"""Clients that are slow, huge, idle or never read get refused, while a healthy viewer is served."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import pytest
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from streamrp2p_node import bounded_http as module
from streamrp2p_node import relay
from streamrp2p_node.bounded_http import BoundedHttp, Bounds, Direct, bounded_http
from streamrp2p_node.listener import listening
from streamrp2p_node.segment_response import send_object

pytestmark = pytest.mark.integration

LONG = 600.0
CALM = Bounds(header_seconds=LONG, body_seconds=LONG, stall_seconds=LONG)
GET = b"GET /small HTTP/1.1\r\nHost: node\r\n\r\n"
HEAVY_BYTES = 64_000_000


def on_a_nodes_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on uvloop as a node does: what a transport tells of its buffers differs."""

    @wraps(test)
    def run(*args: object, **given: object) -> None:
        uvloop.run(test(*args, **given))

    return run


@dataclass(slots=True)
class Served:
    """A server, and the bytes that it could not send."""

    port: int
    http: type[BoundedHttp]
    unsent: list[int]
    held: asyncio.Event

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=2**16)

    async def exchange(self, sent: bytes) -> bytes:
        """Send something and return all that comes until the server closes."""
        reader, writer = await self.connect()
        try:
            writer.write(sent)
            return await _all_of(reader)
        finally:
            writer.close()

    async def drip(self, pieces: Iterable[bytes]) -> bytes:
        """Send pieces as slowly as one can that is not to be idle; what came until the server closed."""
        reader, writer = await self.connect()
        answer = asyncio.create_task(_all_of(reader))
        for piece in pieces:
            if answer.done():
                break
            writer.write(piece)
            await asyncio.wait([answer], timeout=0.02)
        writer.close()
        return await answer


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.02)


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


@asynccontextmanager
async def serving(
    bounds: Bounds, direct: Direct | None = None, *, keep_alive_seconds: int = 5
) -> AsyncIterator[Served]:
    unsent: list[int] = []
    held = asyncio.Event()

    async def small(_: Request) -> Response:
        return PlainTextResponse("small")

    async def read(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def heavy(_: Scope, receive: Receive, send: Send) -> None:
        served = relay.Served(bytes(HEAVY_BYTES), None, unsent.append)
        await send_object(served, "heavy.mp4", receive, send)

    async def hold(_: Request) -> Response:
        await held.wait()
        return PlainTextResponse("held")

    app = Starlette(
        routes=[
            Route("/small", small),
            Route("/read", read, methods=["POST"]),
            Mount("/heavy", heavy),
            Route("/hold", hold),
        ]
    )
    http = bounded_http(bounds, direct)
    config = uvicorn.Config(
        app,
        http=http,
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=keep_alive_seconds,
    )
    server = uvicorn.Server(config)
    with listening("127.0.0.1", 0) as listener:
        work = asyncio.create_task(server._serve([listener]))
        try:
            yield Served(listener.getsockname()[1], http, unsent, held)
        finally:
            held.set()
            server.should_exit = server.force_exit = True
            await work


def first_line(answer: bytes) -> bytes:
    return answer.partition(b"\r\n")[0]


@on_a_nodes_loop
async def test_headers_that_drip_are_refused_after_their_time() -> None:
    async with serving(replace(CALM, header_seconds=0.3)) as served:
        answer = await served.drip([b"GET /small HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 100_000])
    assert first_line(answer) == b"HTTP/1.1 408 Request Timeout"
    assert b"urn:streamrp2p:problem:request-too-slow" in answer


@on_a_nodes_loop
async def test_empty_lines_do_not_keep_a_connection() -> None:
    # Time enough for the request itself to arrive, also on a busy machine.
    async with serving(replace(CALM, header_seconds=3.0)) as served:
        answer = await served.drip([GET, *[b"\r\n"] * 100_000])
    assert first_line(answer) == b"HTTP/1.1 200 OK"
    assert b"request-too-slow" in answer


@on_a_nodes_loop
async def test_a_connection_without_a_request_is_closed() -> None:
    async with serving(replace(CALM, header_seconds=0.3)) as served:
        assert b"request-too-slow" in await served.exchange(b"")


@on_a_nodes_loop
async def test_a_body_that_drips_ends_with_its_connection() -> None:
    head = b"POST /read HTTP/1.1\r\nHost: node\r\nContent-Length: 1000000\r\n\r\n"
    async with serving(replace(CALM, body_seconds=0.3)) as served:
        assert await served.drip([head, *[b"x"] * 100_000]) == b""


@pytest.mark.parametrize("size", [20_000, 2_000_000])
@on_a_nodes_loop
async def test_huge_headers_are_refused(size: int) -> None:
    async with serving(CALM) as served:
        unfinished = b"GET /small HTTP/1.1\r\nX-A: " + b"a" * 20_000
        assert first_line(await served.exchange(unfinished)).startswith(b"HTTP/1.1 431")
        # Of a client that sends on without reading, the system may drop the answer.
        whole = await served.exchange(b"GET /small HTTP/1.1\r\nX-A: " + b"a" * size + b"\r\n\r\n")
        assert first_line(whole).startswith(b"HTTP/1.1 431") or whole == b""
        many = await served.exchange(b"GET /small HTTP/1.1\r\n" + b"a: b\r\n" * 3000 + b"\r\n")
        assert b"headers-too-large" in many


@on_a_nodes_loop
async def test_an_endless_body_ends_with_its_connection() -> None:
    head = b"POST /read HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    async with serving(replace(CALM, body_bytes=100_000)) as served:
        assert await served.exchange(head + chunk * 100) == b""
        few = await served.exchange(
            head.replace(b"Host", b"Connection: close\r\nHost") + chunk * 10 + b"0\r\n\r\n"
        )
    assert few.endswith(b"40960")


@on_a_nodes_loop
async def test_headers_after_a_body_are_not_kept() -> None:
    head = b"POST /read HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving(replace(CALM, body_bytes=100_000)) as served:
        assert await served.exchange(head + b"0\r\n" + b"a: b\r\n" * 100_000) == b""


@on_a_nodes_loop
async def test_many_requests_at_once_on_a_connection_are_refused() -> None:
    hold = b"GET /hold HTTP/1.1\r\nHost: node\r\n\r\n"
    async with serving(replace(CALM, pipelined=3)) as served:
        assert await served.exchange(hold + GET * 4) == b""
        served.held.set()
        few = await served.exchange(
            hold + GET * 2 + GET.replace(b"Host", b"Connection: close\r\nHost")
        )
    assert few.count(b"HTTP/1.1 200 OK") == 4


@on_a_nodes_loop
async def test_a_client_that_stops_reading_is_dropped_and_owes_what_left() -> None:
    async with serving(replace(CALM, stall_seconds=0.3)) as served:
        _, writer = await served.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /heavy/ HTTP/1.1\r\nHost: node\r\n\r\n")
        await until(lambda: bool(served.unsent))
        writer.close()
    assert 0 < served.unsent[0] < HEAVY_BYTES


@on_a_nodes_loop
async def test_a_slow_reader_that_goes_on_is_served() -> None:
    async with serving(replace(CALM, stall_seconds=2.0)) as served:
        reader, writer = await served.connect()
        writer.write(b"GET /heavy/ HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n")
        got = 0
        while data := await reader.read(2**20):
            got += len(data)
        writer.close()
    assert got > HEAVY_BYTES
    assert served.unsent == []


@on_a_nodes_loop
async def test_idle_connections_make_room_for_a_viewer() -> None:
    async with serving(replace(CALM, connections=50)) as served:
        idle = [await served.connect() for _ in range(300)]
        answer = await served.exchange(GET.replace(b"Host", b"Connection: close\r\nHost"))
        assert len(served.http.opened.all) <= 50
        for _, writer in idle:
            writer.close()
    assert answer.endswith(b"small")


@on_a_nodes_loop
async def test_connections_in_use_are_not_closed_for_new_ones() -> None:
    hold = b"GET /hold HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"
    async with serving(replace(CALM, connections=2)) as served:
        waiting = [asyncio.create_task(served.exchange(hold)) for _ in range(2)]
        await until(lambda: sum(not each.is_idle for each in served.http.opened.all) == 2)
        refused = await served.exchange(b"")
        served.held.set()
        answers = await asyncio.gather(*waiting)
    assert b"too-many-connections" in refused
    assert all(answer.endswith(b"held") for answer in answers)


@on_a_nodes_loop
async def test_an_address_has_its_share_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_owner_of", lambda _: "somebody")
    async with serving(replace(CALM, connections_per_address=3)) as served:
        own = [await served.connect() for _ in range(3)]
        await until(lambda: len(served.http.opened.all) == 3)
        assert b"this address has 3 connections" in await served.exchange(b"")
        own[0][1].close()
        await until(lambda: len(served.http.opened.all) == 2)
        answer = await served.exchange(GET.replace(b"Host", b"Connection: close\r\nHost"))
        for _, writer in own:
            writer.close()
    assert answer.endswith(b"small")


def test_a_home_is_one_client_and_this_machine_is_none() -> None:
    owner = module._owner_of
    assert owner("127.0.0.1") is owner("::1") is owner("::ffff:127.0.0.1") is None
    assert owner("203.0.113.9") == owner("::ffff:203.0.113.9") == "203.0.113.9"
    assert owner("2001:db8::1") == owner("2001:db8::ffff:1") != owner("2001:db8:0:1::1")
