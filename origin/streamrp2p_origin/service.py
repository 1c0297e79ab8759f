"""A running origin: RTMP in, ffmpeg between, signed low-latency HLS out, until it is told to stop."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from pathlib import Path

import structlog
import uvicorn

from streamrp2p_origin import ffmpeg
from streamrp2p_origin.http_server import HttpServer, bound
from streamrp2p_origin.identity import Identity, locked
from streamrp2p_origin.ingest import Ingest, Inlets
from streamrp2p_origin.pool_rate import stated_shortfall
from streamrp2p_origin.publisher import Publisher, Stream
from streamrp2p_origin.serving import create_app
from streamrp2p_origin.stream_key import StreamKey

_log = structlog.get_logger()

_TICK_SECONDS = 0.5


async def serve(
    folder: Path, identity: Identity, stream: Stream, host: str, port: int, inlets: Inlets,
    clock: Callable[[], float] = time.time,
) -> None:  # fmt: skip
    """Serve on `host` and `port` (0 lets the system choose), take encoders at `inlets`, until SIGTERM or SIGINT.

    Raises OriginSetupError when it cannot begin.
    """
    executable = ffmpeg.executable()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    key = StreamKey(folder)
    async with contextlib.AsyncExitStack() as held:
        held.enter_context(locked(folder))
        listener = held.enter_context(bound(host, port, "--port"))
        publisher = Publisher(folder, identity, stream, clock)
        source = inlets.source(executable, key)
        await held.enter_async_context(source.open())
        ingest = Ingest(executable, source, key, publisher, stream)
        server = HttpServer(
            uvicorn.Config(
                create_app(publisher, ingest, stream.pool_id),
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=2,
            )
        )
        serving = asyncio.create_task(server.serve([listener]))
        keeping = asyncio.create_task(_keep(publisher))
        taking = asyncio.create_task(ingest.run())
        _log.info(
            "origin_ready",
            pool=stream.pool_id,
            url=f"http://{host}:{listener.getsockname()[1]}",
            rtmp=inlets.url,
            origin_key=f"0x{identity.address.hex()}",
        )
        if shortfall := stated_shortfall(stream.packaging.ladder, stream.max_bytes_per_second):
            _log.warning("pool_rate_low", **shortfall.shown())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait(
            [stopping, serving, keeping, taking], return_when=asyncio.FIRST_COMPLETED
        )
        _log.info("origin_stopping")
        server.should_exit = True
        for task in (taking, keeping, stopping):
            task.cancel()
        await serving
        for task in (taking, keeping):
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _keep(publisher: Publisher) -> None:
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        await publisher.keep()
