"""The callback port on a real socket against slow and oversized callers, and what a server must be."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamrp2p_origin import callback_server
from streamrp2p_origin.errors import OriginSetupError
from streamrp2p_origin.ingest_server import IngestServer, Server
from streamrp2p_origin.stream_key import StreamKey
from tests.support.ports import find_free_port


@pytest.mark.parametrize(
    "url",
    [
        "", "rtmp://127.0.0.1/live", "rtmp://127.0.0.1:1935", "rtmp://127.0.0.1:1935/",
        "rtmp://127.0.0.1:1935/a/b", "rtmp://192.0.2.1:1935/live", "rtmps://127.0.0.1:1935/live",
        "rtmp://127.0.0.1:1935/live'\nfile '/etc/passwd", "rtmp://127.0.0.1:1935/live?x=1",
    ],
)  # fmt: skip
def test_server_elsewhere_or_nowhere_is_refused(url: str) -> None:
    with pytest.raises(OriginSetupError, match="must be rtmp://"):
        Server.parse(url, 1)


def test_server_on_this_machine_is_taken() -> None:
    assert Server.parse("rtmp://127.0.0.1:1935/live", 8090).app == "live"
    assert Server.parse("rtmp://[::1]:1935/alice", 8090).app == "alice"


@pytest.fixture
async def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(callback_server, "CONNECTION_SECONDS", 1.0)
    key = StreamKey(tmp_path)
    key.create()
    port = find_free_port()
    server = Server.parse("rtmp://127.0.0.1:1/live", port)
    async with server.source("ffmpeg", key).open():
        yield port


async def answered(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        async with asyncio.timeout(30):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


GOOD = b"POST /nginx HTTP/1.0\r\nContent-Length: 28\r\n\r\ncall=publish&name=x&app=live"


@pytest.mark.integration
@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (GOOD, b"403"),
        (b"POST /nginx HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", b"400"),
        (b"POST /nginx HTTP/1.0\r\nContent-Length: 100000\r\n\r\n" + b"x" * 9000, b"413"),
        (b"GET /nginx HTTP/1.0\r\n\r\n", b"405"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
    ],
    ids=["good", "long header", "long body", "other method", "tls"],
)
async def test_each_request_is_answered_and_its_connection_closed(
    port: int, request_bytes: bytes, status: bytes
) -> None:
    assert status in (await answered(port, request_bytes)).split(b"\r\n")[0]


@pytest.mark.integration
@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"POST /nginx HTTP/1.1\r\nHost: x\r\n",
        b"POST /nginx HTTP/1.0\r\nContent-Length: 9\r\n\r\nx",
    ],
    ids=["nothing", "half a header", "half a body"],
)
async def test_slow_callers_are_cut_off_and_keep_nobody_out(
    port: int, request_bytes: bytes
) -> None:
    slow = [asyncio.create_task(answered(port, request_bytes)) for _ in range(20)]
    assert b"403" in await answered(port, GOOD)
    assert set(await asyncio.gather(*slow)) <= {b""}


@pytest.mark.integration
async def test_port_in_use_is_named_with_the_option_that_changes_it(tmp_path: Path) -> None:
    key = StreamKey(tmp_path)
    key.create()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        source = IngestServer("ffmpeg", Server.parse("rtmp://127.0.0.1:1/live", port), key)
        with pytest.raises(OriginSetupError, match="--callback-port"):
            async with source.open():
                pass
