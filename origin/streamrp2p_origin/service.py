"""A running origin: RTMP in, ffmpeg between, signed HLS out, until it is told to stop."""

import asyncio
import contextlib
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn

from streamrp2p.errors import StreamrP2PError
from streamrp2p_origin import ffmpeg
from streamrp2p_origin.errors import OriginSetupError
from streamrp2p_origin.identity import Identity, locked
from streamrp2p_origin.ingest import Ingest
from streamrp2p_origin.packager import Packager
from streamrp2p_origin.probe import Plan, Probe
from streamrp2p_origin.publisher import Publisher, Stream
from streamrp2p_origin.rtmp.session import MediaTag
from streamrp2p_origin.serving import create_app

_log = structlog.get_logger()

_TICK_SECONDS = 0.5
_INCOMING_FOLDER = "incoming"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the origin listens; a port of 0 lets the system choose."""

    host: str
    port: int
    rtmp_host: str
    rtmp_port: int


class Visits:
    """Packages what each encoder sends, one after the other."""

    def __init__(self, folder: Path, executable: str, publisher: Publisher, stream: Stream) -> None:
        self._folder = folder / _INCOMING_FOLDER
        self._executable = executable
        self._publisher = publisher
        self._stream = stream

    async def __call__(self, tags: AsyncIterator[MediaTag]) -> None:
        """Package one visit until its tags end; raises OriginError when it cannot be packaged."""
        begun: list[MediaTag] = []
        plan = await self._plan(tags, begun)
        if plan is None:
            _log.warning("encoder.too_short", tags=len(begun))
            return
        _log.info("packaging.begun", video=plan.video, audio=plan.audio, reason=plan.reason)
        await asyncio.to_thread(_empty, self._folder)
        self._publisher.begin_visit()
        packager = await Packager.start(
            self._executable, plan, self._stream.segment_seconds, self._folder
        )
        publishing = asyncio.create_task(self._publish(packager))
        try:
            for tag in begun:
                await packager.write(tag)
            begun.clear()
            async for tag in tags:
                await packager.write(tag)
            await packager.close()
            await packager.wait()
        finally:
            # Its output ends with it, and so does the publishing of what it finished.
            await packager.kill()
            await publishing

    async def _plan(self, tags: AsyncIterator[MediaTag], begun: list[MediaTag]) -> Plan | None:
        probe = Probe(self._stream.segment_seconds)
        async for tag in tags:
            begun.append(tag)
            if plan := probe.take(tag):
                return plan
        return None

    async def _publish(self, packager: Packager) -> None:
        async for segment in packager.segments():
            sequence = self._publisher.next_sequence
            try:
                await asyncio.to_thread(self._publisher.publish, segment)
            except StreamrP2PError as error:
                _log.error("segment.dropped", sequence=sequence, reason=str(error))
            else:
                _log.info(
                    "segment.published",
                    sequence=sequence,
                    seconds=round(segment.duration_micros / 1_000_000, 3),
                )


async def serve(
    folder: Path, identity: Identity, stream: Stream, ports: Ports,
    clock: Callable[[], float] = time.time,
) -> None:  # fmt: skip
    """Run until SIGTERM or SIGINT. Raises OriginSetupError when it cannot begin."""
    executable = ffmpeg.executable()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with locked(folder), _bound(ports.host, ports.port) as listener:
        publisher = Publisher(folder, identity, stream, clock)
        ingest = Ingest(identity.stream_key, Visits(folder, executable, publisher, stream))
        rtmp_port = await ingest.listen(ports.rtmp_host, ports.rtmp_port)
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
        _log.info(
            "origin.ready",
            pool=stream.pool_id,
            url=f"http://{ports.host}:{listener.getsockname()[1]}",
            rtmp=f"rtmp://{ports.rtmp_host}:{rtmp_port}/live",
            origin_key=f"0x{identity.address.hex()}",
        )
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([stopping, serving, keeping], return_when=asyncio.FIRST_COMPLETED)
        _log.info("origin.stopping")
        await ingest.close()
        server.should_exit = True
        keeping.cancel()
        stopping.cancel()
        await serving
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


class _Server(uvicorn.Server):
    """Leaves the signals to `serve`: uvicorn would raise them again once it ended, in the midst of the shutdown."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _keep(publisher: Publisher) -> None:
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        try:
            await asyncio.to_thread(publisher.keep)
        except StreamrP2PError as error:
            _log.error("playlist.not_refreshed", reason=str(error))


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


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
