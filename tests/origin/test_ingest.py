"""A visit that fails ends itself, never the origin."""

import asyncio
import errno
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_origin.identity import create
from streamrp2p_origin.ingest import Ingest
from streamrp2p_origin.publisher import Publisher, Stream
from streamrp2p_origin.receiver import Receiver
from streamrp2p_origin.stream_key import StreamKey


class ExhaustedSource:
    is_ready = True

    def open(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def visit(self) -> AbstractAsyncContextManager[tuple[Receiver, list[str]]]:
        raise OSError(errno.EMFILE, "Too many open files")


async def test_machine_that_has_nothing_left_is_a_fault_and_not_the_end(tmp_path: Path) -> None:
    identity = create(tmp_path)
    stream = Stream(7, Domain(31337, Address(bytes(20))), 10**6)
    publisher = Publisher(tmp_path, identity, stream, time.time)
    ingest = Ingest("", ExhaustedSource(), StreamKey(tmp_path), publisher, stream)
    taking = asyncio.create_task(ingest.run())
    async with asyncio.timeout(5):
        while publisher.fault is None and not taking.done():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    assert not taking.done()
    assert publisher.fault == "the origin cannot take an encoder now: Too many open files"
    taking.cancel()
