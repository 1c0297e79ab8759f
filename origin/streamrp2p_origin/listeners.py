"""The embedded ingest: ffmpeg listens for encoders, over RTMP and, if wanted, SRT; the first with the key is taken."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from streamrp2p_origin.errors import PortTakenError, StreamKeyRefusedError
from streamrp2p_origin.inlet import rtmp_listener, srt_listener
from streamrp2p_origin.listening import Transport, is_listening, require_free, until_listening
from streamrp2p_origin.name_check import NameCheck
from streamrp2p_origin.receiver import Receiver
from streamrp2p_origin.stream_key import StreamKey

_log = structlog.get_logger()

REFUSAL_SECONDS = 1.0
"""How long a port stays closed after somebody came without the key, so that guesses cost us no storm of processes."""
HANDSHAKE_SECONDS = 20.0
"""How long a peer may take from its connection until its stream is described, if it says a little now and then."""
_PEER_POLL_SECONDS = 0.5
_KEY_POLL_SECONDS = 0.5
"""How soon the SRT listener follows a rotation of the key."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where encoders connect; `srt_port` None: not over SRT."""

    host: str
    rtmp_port: int
    srt_port: int | None = None

    @property
    def url(self) -> str:
        """The address for RTMP encoders, without the stream key."""
        return f"rtmp://{self.host}:{self.rtmp_port}/live"

    def source(self, executable: str, key: StreamKey) -> "Listeners":
        """Return what listens there."""
        return Listeners(executable, self, key)


class Listeners:
    """Opens the ports anew for each visit; while an encoder is live all are closed."""

    def __init__(self, executable: str, ports: Ports, key: StreamKey) -> None:
        self._executable = executable
        self._ports = ports
        self._key = key
        self.is_ready = False
        """Whether the RTMP port was ever open."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Raise OriginSetupError when a port or the stream key is not fit to use."""
        self._key.read()
        require_free(self._ports.host, self._ports.rtmp_port, "tcp", "--rtmp-port")
        if self._ports.srt_port is not None:
            require_free(self._ports.host, self._ports.srt_port, "udp", "--srt-port")
        yield

    @asynccontextmanager
    async def visit(self) -> AsyncIterator[tuple[Receiver, list[str]]]:
        """Wait for an encoder with the key; its receiver, and ffmpeg's words on its stream.

        Raises PortTakenError, and UnusableInputError when the encoder's stream cannot be described.
        """
        opened: set[Receiver] = set()
        doors = [asyncio.create_task(self._accept_rtmp(opened))]
        if self._ports.srt_port is not None:
            doors.append(asyncio.create_task(self._accept_srt(self._ports.srt_port, opened)))
        try:
            done, _ = await asyncio.wait(doors, return_when=asyncio.FIRST_COMPLETED)
            receiver, description = done.pop().result()
            await _cancel(doors)
            for late in opened - {receiver}:
                await self._close(late, opened)
            yield receiver, description
        finally:
            await _cancel(doors)
            for left in opened:
                await left.close()

    async def _accept_rtmp(self, opened: set[Receiver]) -> tuple[Receiver, list[str]]:
        port = self._ports.rtmp_port
        while True:
            placeholder = secrets.token_hex()
            receiver = await Receiver.start(
                self._executable, rtmp_listener(self._ports.host, port, placeholder)
            )
            opened.add(receiver)
            async with (
                _beside(self._note_listening(port, "tcp")),
                _beside(_bound_handshake(receiver, port)),
            ):
                check = NameCheck(placeholder, self._key.opens)
                if (description := await self._described(receiver, check)) is not None:
                    return receiver, description
            await self._close(receiver, opened)
            _require_ours(port, "tcp")

    async def _accept_srt(self, port: int, opened: set[Receiver]) -> tuple[Receiver, list[str]]:
        while True:
            key = self._key.read()
            receiver = await Receiver.start(
                self._executable, srt_listener(self._ports.host, port, key)
            )
            opened.add(receiver)
            async with (
                _beside(self._note_listening(port, "udp")),
                _beside(self._stop_on_rotation(receiver, key)),
            ):
                description = await self._described(receiver)
                if description is not None and self._key.opens(key):
                    return receiver, description
            await self._close(receiver, opened)
            _require_ours(port, "udp")

    async def _described(
        self, receiver: Receiver, check: NameCheck | None = None
    ) -> list[str] | None:
        try:
            return await receiver.description(check)
        except StreamKeyRefusedError as error:
            receiver.stop()
            _log.warning("encoder_refused", reason=str(error))
            await asyncio.sleep(REFUSAL_SECONDS)
            return None

    @staticmethod
    async def _close(receiver: Receiver, opened: set[Receiver]) -> None:
        opened.discard(receiver)
        await receiver.close()

    async def _note_listening(self, port: int, transport: Transport) -> None:
        await until_listening(port, transport)
        name = "rtmp" if transport == "tcp" else "srt"
        self.is_ready = self.is_ready or name == "rtmp"
        _log.info("inlet_listening", inlet=name, url=f"{name}://{self._ports.host}:{port}")

    async def _stop_on_rotation(self, receiver: Receiver, key: str) -> None:
        """For while nobody is connected: libsrt asks for the key that it was started with."""
        while self._key.opens(key):  # noqa: ASYNC110 - the file tells nobody
            await asyncio.sleep(_KEY_POLL_SECONDS)
        receiver.stop()


async def _bound_handshake(receiver: Receiver, port: int) -> None:
    """End what takes too long: ffmpeg closes its listening socket once it has a peer, and waits for each byte anew."""
    await until_listening(port)
    while is_listening(port, "tcp"):  # noqa: ASYNC110 - the kernel wakes nobody
        await asyncio.sleep(_PEER_POLL_SECONDS)
    await asyncio.sleep(HANDSHAKE_SECONDS)
    receiver.stop()


@asynccontextmanager
async def _beside(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Do something while the block runs, and no longer."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()


async def _cancel(tasks: Iterable[asyncio.Task[tuple[Receiver, list[str]]]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _require_ours(port: int, transport: Transport) -> None:
    """Raise PortTakenError when something listens on the port though our ffmpeg has ended."""
    if is_listening(port, transport):
        raise PortTakenError(
            f"another program took port {port}, where encoders connect: stop it, "
            "or choose another port for this origin"
        )
