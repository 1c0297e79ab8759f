"""A visit that fails ends itself, never the origin."""

import asyncio
import time
from pathlib import Path

from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_origin.identity import create
from streamrp2p_origin.ingest import Ingest
from streamrp2p_origin.listeners import Listeners, Ports
from streamrp2p_origin.publisher import Publisher, Stream
from streamrp2p_origin.stream_key import StreamKey


async def test_a_folder_that_cannot_be_made_is_a_fault_and_not_the_end(tmp_path: Path) -> None:
    identity = create(tmp_path / "origin")
    stream = Stream(7, Domain(31337, Address(bytes(20))))
    publisher = Publisher(tmp_path / "origin", identity, stream, time.time)
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    key = StreamKey(tmp_path / "origin")
    source = Listeners("ffmpeg", Ports("127.0.0.1", 1), key)
    ingest = Ingest("ffmpeg", source, key, in_the_way / "incoming", publisher, 2.0)
    taking = asyncio.create_task(ingest.run())
    async with asyncio.timeout(5):
        while publisher.fault is None and not taking.done():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    assert not taking.done()
    assert publisher.fault == "the origin cannot take an encoder now: Not a directory"
    taking.cancel()
