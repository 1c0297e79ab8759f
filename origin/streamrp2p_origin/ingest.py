"""Encoders' visits, one after the other: RTMP into ffmpeg, segments out to the publisher."""

import asyncio
import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

import structlog

from streamrp2p.errors import StreamrP2PError
from streamrp2p_origin.errors import OriginError, OriginSetupError
from streamrp2p_origin.listening import until_listening
from streamrp2p_origin.packager import Packager
from streamrp2p_origin.plan import Plan, plan_for
from streamrp2p_origin.publisher import Publisher
from streamrp2p_origin.receiver import Receiver

_log = structlog.get_logger()

IDLE_SEGMENTS = 5
LEAST_IDLE_SECONDS = 15.0
"""An encoder that brings no segment for this time, or so many segments' time, is gone: its place is freed.

Longer than the ten seconds that some encoders leave between key frames.
"""
RETRY_SECONDS = 0.5
"""Between a visit that came to nothing and the next."""
_LONG_SEGMENT = 2.0
"""Times the wanted length; then the encoder's key frames are too far apart."""


@dataclass(frozen=True, slots=True)
class RtmpPort:
    """Where encoders connect, at rtmp://HOST:PORT/live."""

    host: str
    port: int


class Ingest:
    """Serves one encoder at a time until cancelled."""

    def __init__(
        self, executable: str, rtmp: RtmpPort, folder: Path, publisher: Publisher, segment_seconds: float
    ) -> None:  # fmt: skip
        self._executable = executable
        self._rtmp = rtmp
        self._folder = folder
        self._publisher = publisher
        self._segment_seconds = segment_seconds
        self._has_sparse_key_frames = False
        self.is_ready = False
        """Whether the RTMP port was ever open."""
        self.is_publishing = False
        """Whether an encoder is connected."""

    async def run(self) -> None:
        """Take visits for ever. A failure ends a visit, never the origin: viewers may still read the last segments."""
        while True:
            try:
                if await self._visit():
                    continue
            except OriginError as error:
                self._note_fault(str(error))
            except OSError as error:
                # No room for the folder, no more processes or files: it may pass, and what is published stays.
                self._note_fault(
                    f"the origin cannot take an encoder now: {error.strerror or error}"
                )
            await asyncio.sleep(RETRY_SECONDS)

    def _note_fault(self, reason: str) -> None:
        self._publisher.fault = reason
        _log.error("encoder.dropped", reason=reason)

    async def _visit(self) -> bool:
        """Serve one encoder to its end; False when somebody came and did not publish."""
        await asyncio.to_thread(_empty, self._folder)
        reading, writing = os.pipe()
        try:
            receiver = await Receiver.listen(
                self._executable, self._rtmp.host, self._rtmp.port, writing
            )
        finally:
            os.close(writing)
        listening = asyncio.create_task(self._note_listening())
        try:
            description = await receiver.description()
            if description is None:
                return False
            plan = plan_for(description, has_sparse_key_frames=self._has_sparse_key_frames)
            _log.info("encoder.connected", video=plan.video, audio=plan.audio, reason=plan.reason)
            await self._package(plan, reading)
            _log.info("encoder.left")
            return True
        finally:
            listening.cancel()
            os.close(reading)
            await receiver.kill()

    async def _note_listening(self) -> None:
        await until_listening(self._rtmp.port)
        self.is_ready = True
        _log.info("rtmp.listening", url=f"rtmp://{self._rtmp.host}:{self._rtmp.port}/live")

    async def _package(self, plan: Plan, reading: int) -> None:
        packager = await Packager.start(
            self._executable, plan, self._segment_seconds, self._folder, reading
        )
        self.is_publishing = True
        self._publisher.begin_visit()
        try:
            await self._publish_all(packager)
            await packager.wait()
        finally:
            self.is_publishing = False
            await packager.kill()

    async def _publish_all(self, packager: Packager) -> None:
        segments = aiter(packager.segments())
        patience_seconds = max(IDLE_SEGMENTS * self._segment_seconds, LEAST_IDLE_SECONDS)
        while True:
            try:
                # Not wait_for: before Python 3.12 it may lose a cancellation, and the origin would not stop.
                async with asyncio.timeout(patience_seconds):
                    segment = await anext(segments)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise OriginError(
                    f"the encoder brought no segment for {patience_seconds:g} s; check that it still "
                    f"sends, and that its key frame interval is {self._segment_seconds:g} s"
                ) from None
            sequence, seconds = self._publisher.next_sequence, segment.duration_micros / 1_000_000
            try:
                await asyncio.to_thread(self._publisher.publish, segment)
            except StreamrP2PError as error:
                _log.error("segment.dropped", sequence=sequence, reason=str(error))
                continue
            _log.info("segment.published", sequence=sequence, seconds=round(seconds, 3))
            if seconds > _LONG_SEGMENT * self._segment_seconds and not self._has_sparse_key_frames:
                # Cut short, the running visit would lose its viewers more than long segments do.
                self._has_sparse_key_frames = True
                _log.warning(
                    "segment.long",
                    seconds=round(seconds, 3),
                    advice=f"set the encoder's key frame interval to {self._segment_seconds:g} s; "
                    "the encoder's next visits are transcoded until the origin starts anew",
                )


def require_free(rtmp: RtmpPort) -> None:
    """Raise OriginSetupError when another program listens at the RTMP port."""
    family = socket.AF_INET6 if ":" in rtmp.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((rtmp.host, rtmp.port))
        except OSError as error:
            raise OriginSetupError(
                f"the RTMP port {rtmp.port} on {rtmp.host} cannot be used "
                f"({error.strerror or error}): stop what listens there, or choose another with --rtmp-port"
            ) from error


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
