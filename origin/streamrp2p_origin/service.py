"""A running origin: RTMP in, ffmpeg between, signed low-latency HLS out, until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
import uvicorn

from streamrp2p_origin import ffmpeg
from streamrp2p_origin.errors import OriginSetupError
from streamrp2p_origin.identity import Identity, locked
from streamrp2p_origin.ingest import Ingest
from streamrp2p_origin.listeners import Listeners, Ports
from streamrp2p_origin.publisher import Publisher, Stream
from streamrp2p_origin.serving import create_app
from streamrp2p_origin.stream_key import StreamKey

_log = structlog.get_logger()

_TICK_SECONDS = 0.5


async def serve(
    folder: Path, identity: Identity, stream: Stream, host: str, port: int, inlets: Ports,
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
    with locked(folder), _bound(host, port) as listener:
        publisher = Publisher(folder, identity, stream, clock)
        source = Listeners(executable, inlets, key)
        source.require_usable()
        ingest = Ingest(executable, source, key, publisher, stream.packaging)
        server = _Server(
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
            "origin.ready",
            pool=stream.pool_id,
            url=f"http://{host}:{listener.getsockname()[1]}",
            rtmp=f"rtmp://{inlets.host}:{inlets.rtmp_port}/live",
            origin_key=f"0x{identity.address.hex()}",
        )
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait(
            [stopping, serving, keeping, taking], return_when=asyncio.FIRST_COMPLETED
        )
        _log.info("origin.stopping")
        server.should_exit = True
        for task in (taking, keeping, stopping):
            task.cancel()
        await serving
        for task in (taking, keeping):
            with contextlib.suppress(asyncio.CancelledError):
                await task


class _Server(uvicorn.Server):
    """Leaves the signals to `serve`: uvicorn would raise them again once it ended, in the midst of the shutdown."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _keep(publisher: Publisher) -> None:
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        await publisher.keep()


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OriginSetupError(
            f"the HTTP port {port} on {host} cannot be used ({error.strerror or error}): "
            "stop what listens there, or choose another with --port"
        ) from error
    with listener:
        yield listener
