"""Answers that are written where their request is read keep the order, the bounds and the form of all others."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from streamrp2p.request_id import request_id_of
from streamrp2p_node.bounded_http import Answer
from tests.node.test_bounded_http import CALM, GET, on_a_nodes_loop, serving, until

pytestmark = pytest.mark.integration

LAST = GET.replace(b"Host", b"Connection: close\r\nHost")


@dataclass(frozen=True, slots=True)
class At:
    """Answers a path for which the application has another answer, `small`."""

    body: bytes = b"direct"

    def answer(self, url: bytes, headers: Mapping[bytes, bytes]) -> Answer | None:
        if url != b"/small":
            return None
        assert headers[b"host"] == b"node"
        length = str(len(self.body)).encode()
        return Answer(b"HTTP/1.1 200 OK\r\ncontent-length: " + length + b"\r\n", self.body)


class Broken:
    def answer(self, url: bytes, headers: Mapping[bytes, bytes]) -> Answer | None:
        raise ZeroDivisionError


async def one_answer(reader: asyncio.StreamReader) -> tuple[list[bytes], bytes]:
    """Return the lines of an answer's head, and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    length = next(line for line in head if line.lower().startswith(b"content-length"))
    return head, await reader.readexactly(int(length.partition(b":")[2]))


@on_a_nodes_loop
async def test_a_connection_gets_direct_answers_one_after_the_other() -> None:
    async with serving(CALM, At()) as served:
        reader, writer = await served.connect()
        for _ in range(3):
            writer.write(GET)
            head, body = await one_answer(reader)
            assert body == b"direct"
            assert head[0] == b"HTTP/1.1 200 OK"
            assert any(line.startswith(b"date: ") for line in head)
        writer.close()


DIRECT = (GET, [b"direct"])


@pytest.mark.parametrize(
    "steps",
    [
        [DIRECT, DIRECT],
        [(GET.replace(b"/small", b"/read"), [b"Method Not Allowed"]), DIRECT],
        [(GET.replace(b"GET", b"DELETE"), [b"Method Not Allowed"]), DIRECT],
        [(GET.replace(b"1.1", b"1.0"), [b"small"])],
        [(GET[:30], []), (GET[30:], [b"direct"]), DIRECT],
        [(GET + GET[:30], [b"direct"]), (GET[30:], [b"direct"]), DIRECT],
        [(GET + GET, [b"direct", b"small"]), DIRECT],
        [(GET.replace(b"Host", b"X-A: b\r\nHost"), [b"direct"]), DIRECT],
        [(b"\r\n" + GET, [b"direct"]), DIRECT],
    ],
)
@on_a_nodes_loop
async def test_requests_after_a_direct_answer_are_read_as_well(
    steps: list[tuple[bytes, list[bytes]]],
) -> None:
    async with serving(CALM, At()) as served:
        reader, writer = await served.connect()
        for sent, bodies in [DIRECT, *steps]:
            writer.write(sent)
            assert [(await one_answer(reader))[1] for _ in bodies] == bodies
            if not bodies:
                await until(lambda: any(each._is_in_headers for each in served.http.opened.all))
        writer.close()


@on_a_nodes_loop
async def test_direct_answers_have_an_id_and_keep_a_proxys() -> None:
    async with serving(CALM, At()) as served:
        reader, writer = await served.connect()
        ids = []
        for request in (GET, GET.replace(b"Host", b"X-Request-Id: of-the-proxy\r\nHost")):
            writer.write(request)
            head, _ = await one_answer(reader)
            ids += [line[14:] for line in head if line.startswith(b"x-request-id: ")]
        writer.close()
    own, proxys = ids
    assert request_id_of(own) == own
    assert proxys == b"of-the-proxy"


@on_a_nodes_loop
async def test_who_asks_on_is_kept_and_who_rests_is_let_go() -> None:
    """A single timer runs, however many answers there are: it must not end a connection that is in use."""
    async with serving(CALM, At(), keep_alive_seconds=2) as served:
        reader, writer = await served.connect()
        loop = asyncio.get_running_loop()
        began = asked = loop.time()
        while asked < began + 2.5:
            asked = loop.time()
            writer.write(GET)
            _, body = await one_answer(reader)
            assert body == b"direct"
            await asyncio.sleep(0.1)
        assert await reader.read() == b""
        assert loop.time() >= asked + 1.9
        writer.close()


@on_a_nodes_loop
async def test_only_who_waits_for_nothing_is_answered_directly() -> None:
    async with serving(CALM, At()) as served:
        reader, writer = await served.connect()
        writer.write(GET * 3)
        assert [(await one_answer(reader))[1] for _ in range(3)] == [b"direct", b"small", b"small"]
        writer.write(GET.replace(b"/small", b"/hold") + GET)
        await until(lambda: any(each.pipeline for each in served.http.opened.all))
        served.held.set()
        assert [(await one_answer(reader))[1] for _ in range(2)] == [b"held", b"small"]
        writer.write(GET)
        assert (await one_answer(reader))[1] == b"direct"
        writer.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        GET.replace(b"Host", b"Connection: close\r\nHost"),
        GET.replace(b"1.1", b"1.0"),
        GET.replace(b"1.1", b"1.0").replace(b"Host", b"Connection: keep-alive\r\nHost"),
        GET.replace(b"Host", b"Content-Length: 1\r\nHost") + b"x",
        GET.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost") + b"1\r\nx\r\n0\r\n\r\n",
        GET.replace(b"Host", b"Expect: 100-continue\r\nHost"),
        GET.replace(b"Host", b"Connection: Upgrade\r\nUpgrade: websocket\r\nHost"),
    ],
)
@on_a_nodes_loop
async def test_requests_that_are_more_than_a_get_are_the_applications(request_bytes: bytes) -> None:
    async with serving(CALM, At()) as served:
        reader, writer = await served.connect()
        writer.write(request_bytes)
        assert (await one_answer(reader))[1] == b"small"
        writer.close()


@on_a_nodes_loop
async def test_other_methods_are_the_applications() -> None:
    async with serving(CALM, At()) as served:
        reader, writer = await served.connect()
        writer.write(GET.replace(b"GET", b"DELETE"))
        assert (await one_answer(reader))[0][0] == b"HTTP/1.1 405 Method Not Allowed"
        writer.close()


@on_a_nodes_loop
async def test_a_client_that_takes_nothing_of_a_direct_answer_is_dropped() -> None:
    async with serving(replace(CALM, stall_seconds=0.3), At(body=bytes(64_000_000))) as served:
        _, writer = await served.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET)
        await until(lambda: any(each.has_asked for each in served.http.opened.all))
        await until(lambda: not served.http.opened.all)
        writer.close()


@on_a_nodes_loop
async def test_a_client_that_takes_nothing_is_not_answered_directly_again() -> None:
    body = bytes(64_000_000)
    async with serving(replace(CALM, pipelined=3), At(body=body)) as served:
        reader, writer = await served.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET)
        await until(lambda: any(each.has_asked for each in served.http.opened.all))
        writer.write(GET)
        await until(lambda: any(each.cycle is not None for each in served.http.opened.all))
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert [len((await one_answer(reader))[1]) for _ in range(2)] == [len(body), len("small")]
        writer.close()


@on_a_nodes_loop
async def test_who_was_answered_directly_is_kept_rather_than_who_never_asked() -> None:
    async with serving(replace(CALM, connections=2), At()) as served:
        reader, writer = await served.connect()
        writer.write(GET)
        await one_answer(reader)
        silent, silent_writer = await served.connect()
        await until(lambda: len(served.http.opened.all) == 2)
        assert (await served.exchange(LAST)).endswith(b"small")
        assert await silent.read() == b""
        writer.write(GET)
        assert (await one_answer(reader))[1] == b"direct"
        for each in (writer, silent_writer):
            each.close()


@on_a_nodes_loop
async def test_a_bug_is_logged_and_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(CALM, Broken()) as served:
        assert (await served.exchange(GET)).startswith(b"HTTP/1.1 400")
    found = [record for record in caplog.records if record.exc_info]
    assert [record.levelno for record in found] == [logging.ERROR]
    assert isinstance(found[0].exc_info and found[0].exc_info[1], ZeroDivisionError)
