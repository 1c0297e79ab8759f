"""An HTTP/1.1 proxy that counts the bytes of each kind of request, as they go over the wire below TLS."""

import asyncio
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from benchmarks.costs.exchanges import Exchanges

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"([A-Z]+) ([^ ?]+)")
_HEAD_END = b"\r\n\r\n"
_CHUNK_BYTES = 1 << 16


@dataclass(slots=True)
class CountingProxy:
    """What was counted, by method and path, such as `POST /v1/receipts`."""

    upstream_port: int
    url: str = ""
    counted: dict[str, Exchanges] = field(default_factory=lambda: defaultdict(Exchanges))

    def total(self, path: str) -> Exchanges:
        """Return what was counted for a path, by whatever method: a browser may ask first whether it may."""
        found = (self.counted[key] for key in list(self.counted) if key.endswith(f" {path}"))
        return sum(found, Exchanges())

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one client's requests on, one after the other, until either side closes."""
        # Cancelled when the proxy ends: asyncio would report that of every connection.
        with (
            closing(writer),
            suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError),
        ):
            upstream, to_upstream = await asyncio.open_connection("127.0.0.1", self.upstream_port)
            with closing(to_upstream):
                while True:
                    head = await reader.readuntil(_HEAD_END)
                    body = await reader.readexactly(_length(head))
                    to_upstream.write(head + body)
                    answer_bytes = await _pass_answer(upstream, writer)
                    match = _TARGET.match(head)
                    assert match is not None, head
                    self.counted[f"{match[1].decode()} {match[2].decode()}"] += Exchanges(
                        1, len(head) + len(body), answer_bytes
                    )


@contextmanager
def counting_proxy(upstream_port: int) -> Iterator[CountingProxy]:
    """Run a proxy to a port of this machine, in a thread, until the block ends."""
    proxy = CountingProxy(upstream_port)
    is_ready, loop = threading.Event(), asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        is_ready.set()
        await done.wait()
        server.close()
        # What is still open ends with it.
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    is_ready.wait()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


async def _pass_answer(upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """Pass an answer on; its bytes. One without a length has no body here: 204 and 304."""
    head = await upstream.readuntil(_HEAD_END)
    writer.write(head)
    left = length = _length(head)
    while left:
        data = await upstream.readexactly(min(left, _CHUNK_BYTES))
        writer.write(data)
        await writer.drain()
        left -= len(data)
    return len(head) + length


def _length(head: bytes) -> int:
    match = _LENGTH.search(head)
    return int(match[1]) if match else 0
