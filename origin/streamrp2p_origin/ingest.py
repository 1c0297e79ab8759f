"""The RTMP port: lets in the one encoder that knows the stream key."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from streamrp2p_origin.errors import OriginError, OriginSetupError, RtmpError
from streamrp2p_origin.rtmp.session import MediaTag, PublishEnded, PublishRequest, RtmpSession

_log = structlog.get_logger()

GREETING_SECONDS = 10.0
"""A stranger's time from connecting to naming the stream key."""
IDLE_SECONDS = 10.0
"""Without a byte from the encoder; after it another may publish."""
MAX_CONNECTIONS = 16
_READ_BYTES = 64 * 1024

Visit = Callable[[AsyncIterator[MediaTag]], Awaitable[None]]


class Ingest:
    """Serves encoders, one at a time; `visit` is awaited for each with its frames."""

    def __init__(self, stream_key: str, visit: Visit) -> None:
        self._stream_key = stream_key.encode()
        self._visit = visit
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.is_publishing = False
        """Whether an encoder is connected and was let in."""

    async def listen(self, host: str, port: int) -> int:
        """Begin to listen and return the port; raises OriginSetupError when it is not free."""
        try:
            self._server = await asyncio.start_server(self._connected, host, port)
        except OSError as error:
            raise OriginSetupError(
                f"the RTMP port {port} on {host} cannot be used ({error.strerror or error}): "
                "stop what listens there, or choose another with --rtmp-port"
            ) from error
        actual: int = self._server.sockets[0].getsockname()[1]
        return actual

    async def close(self) -> None:
        """Stop listening and end the visits."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._tasks) >= MAX_CONNECTIONS:
            writer.close()
            return
        self._tasks.add(task)
        peer = writer.get_extra_info("peername")
        try:
            await self._serve(reader, writer)
        except RtmpError as error:
            _log.warning("encoder.refused", peer=peer, reason=str(error))
        except OriginError as error:
            _log.error("encoder.dropped", peer=peer, reason=str(error))
        except (ConnectionError, TimeoutError):
            _log.info("encoder.lost", peer=peer)
        except asyncio.CancelledError:
            # Only `close` cancels: the task ends as it was asked to.
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = RtmpSession()
        try:
            async with asyncio.timeout(GREETING_SECONDS):
                key = await _greet(session, reader, writer)
            if key is None:
                return
            refusal = self._refusal(key)
            if refusal is not None:
                session.refuse(refusal)
                await _flush(session, writer)
                raise RtmpError(refusal)
            # Nothing is awaited between the check above and this line, so no second encoder slips in.
            self.is_publishing = True
            try:
                session.accept()
                _log.info("encoder.connected", peer=writer.get_extra_info("peername"))
                await self._visit(_media(session, reader, writer))
                _log.info("encoder.left", peer=writer.get_extra_info("peername"))
            finally:
                self.is_publishing = False
        finally:
            await _flush(session, writer)

    def _refusal(self, key: str) -> str | None:
        # Some encoders append options to the key.
        if not hmac.compare_digest(key.partition("?")[0].encode(), self._stream_key):
            return "wrong stream key: copy it from the origin's file stream.key"
        if self.is_publishing:
            return "another encoder publishes already: stop it first"
        return None


async def _greet(
    session: RtmpSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> str | None:
    while data := await reader.read(_READ_BYTES):
        for event in session.receive(data):
            if isinstance(event, PublishRequest):
                return event.stream_key
        await _flush(session, writer)
    return None


async def _media(
    session: RtmpSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> AsyncIterator[MediaTag]:
    """Yield frames until the encoder ends, is lost or falls silent: all of these are the end of a visit."""
    try:
        while True:
            await _flush(session, writer)
            async with asyncio.timeout(IDLE_SECONDS):
                data = await reader.read(_READ_BYTES)
            if not data:
                return
            for event in session.receive(data):
                if isinstance(event, PublishEnded):
                    return
                if isinstance(event, MediaTag):
                    yield event
    except (ConnectionError, TimeoutError):
        return


async def _flush(session: RtmpSession, writer: asyncio.StreamWriter) -> None:
    if data := session.output():
        writer.write(data)
        await writer.drain()
