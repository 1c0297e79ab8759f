"""An ingest server in front: it takes encoders and asks whether they may publish; the origin pulls their streams."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from streamrp2p_origin.callback_server import callback_server
from streamrp2p_origin.errors import OriginSetupError, PullError
from streamrp2p_origin.http_server import bound
from streamrp2p_origin.inlet import rtmp_pull
from streamrp2p_origin.publications import Publication, Publications
from streamrp2p_origin.receiver import Receiver
from streamrp2p_origin.stream_key import StreamKey

_log = structlog.get_logger()

CALLBACK_HOST = "127.0.0.1"
PULL_SECONDS = 10.0
"""How long a stream is asked for that its server does not give out (yet, or any more)."""
_RETRY_SECONDS = 0.5
_GRACE_SECONDS = 2.0
"""For the last packets of an encoder that left; some servers then leave their players waiting."""
_SERVER = re.compile(r"rtmp://(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}/([A-Za-z0-9_.-]{1,64})")


@dataclass(frozen=True, slots=True)
class Server:
    """An RTMP server on this machine, rtmp://HOST:PORT/APP, and the port where it finds the origin's permission."""

    url: str
    app: str
    callback_port: int

    @classmethod
    def parse(cls, url: str, callback_port: int) -> "Server":
        """Raise OriginSetupError for an address that is not of this machine, or no address."""
        match = _SERVER.fullmatch(url)
        if match is None:
            raise OriginSetupError(
                "--ingest-server must be rtmp://127.0.0.1:PORT/APP: it runs on this machine, since neither stream nor "
                "stream key is encrypted on the way; a tunnel may lead elsewhere"
            )
        return cls(url, match[2], callback_port)

    def source(self, executable: str, key: StreamKey) -> "IngestServer":
        """Return what takes its encoders over."""
        return IngestServer(executable, self, key)


class IngestServer:
    """Hands over one encoder after the other that the server was allowed to take."""

    def __init__(self, executable: str, server: Server, key: StreamKey) -> None:
        self._executable = executable
        self._server = server
        self._key = key
        self._publications = Publications(server.app, key)
        self.is_ready = False
        """Whether the callback port is open."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Answer callbacks meanwhile; raises OriginSetupError when the port or the key is not fit to use."""
        self._key.read()
        with bound(CALLBACK_HOST, self._server.callback_port, "--callback-port") as listener:
            server = callback_server(self._publications)
            serving = asyncio.create_task(server.serve([listener]))
            self.is_ready = True
            host, port = listener.getsockname()
            _log.info("callbacks_listening", url=f"http://{host}:{port}", server=self._server.url)
            try:
                yield
            finally:
                server.should_exit = True
                await serving

    @asynccontextmanager
    async def visit(self) -> AsyncIterator[tuple[Receiver, list[str]]]:
        """Wait for an encoder with the key; its receiver, and ffmpeg's words on its stream. Raises PullError."""
        publication = await self._publications.next()
        while (pulled := await self._pull(publication)) is None:
            publication = await self._publications.next()
        receiver, description = pulled
        publication.is_live = publication.was_live = True
        ending = asyncio.create_task(self._stop_when_ended(publication, receiver))
        try:
            yield receiver, description
        except BaseException:
            self._publications.end(publication)
            raise
        finally:
            publication.is_live = False
            ending.cancel()
            await receiver.close()

    async def _pull(self, publication: Publication) -> tuple[Receiver, list[str]] | None:
        """Play the stream; None when the encoder left meanwhile, or its key is not the key any more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PULL_SECONDS):
                while not publication.ended.is_set():
                    if not self._key.opens(publication.key):
                        break
                    if (pulled := await self._try_to_pull(publication)) is not None:
                        return pulled
                    await asyncio.sleep(_RETRY_SECONDS)
        is_news = not (publication.was_live or publication.ended.is_set())
        self._publications.end(publication)
        if is_news and self._key.opens(publication.key):
            raise PullError(
                f"the ingest server took an encoder but gives no stream out at {self._server.url}: check that "
                "address, and that the server lets 127.0.0.1 play"
            )
        return None

    async def _try_to_pull(self, publication: Publication) -> tuple[Receiver, list[str]] | None:
        receiver = await Receiver.start(
            self._executable, rtmp_pull(self._server.url, publication.key)
        )
        ending = asyncio.create_task(self._stop_when_ended(publication, receiver))
        try:
            description = await receiver.description()
        except BaseException:
            await receiver.close()
            raise
        finally:
            ending.cancel()
        # The key may have been rotated while nothing had come yet.
        if description is None or not self._key.opens(publication.key):
            await receiver.close()
            return None
        return receiver, description

    @staticmethod
    async def _stop_when_ended(publication: Publication, receiver: Receiver) -> None:
        await publication.ended.wait()
        await asyncio.sleep(_GRACE_SECONDS)
        receiver.stop()
