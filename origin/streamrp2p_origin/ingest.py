"""Encoders' visits, one after the other: from ffmpeg that receives to ffmpeg that packages, and on to the publisher."""

import asyncio
import shutil
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import structlog

from streamrp2p.errors import StreamrP2PError
from streamrp2p_origin.errors import OriginError
from streamrp2p_origin.packager import Packager
from streamrp2p_origin.plan import Plan, plan_for
from streamrp2p_origin.publisher import Publisher
from streamrp2p_origin.receiver import Receiver
from streamrp2p_origin.stream_key import StreamKey

_log = structlog.get_logger()

IDLE_SEGMENTS = 5
LEAST_IDLE_SECONDS = 15.0
"""An encoder that brings no segment for this time, or so many segments' time, is gone: its place is freed.

Longer than the ten seconds that some encoders leave between key frames.
"""
RETRY_SECONDS = 0.5
"""Between a visit that came to nothing and the next."""
_DROP_POLL_SECONDS = 0.2
"""How soon a live encoder is dropped once that is asked for."""
_LONG_SEGMENT = 2.0
"""Times the wanted length; then the encoder's key frames are too far apart."""


class Source(Protocol):
    """Where encoders come in, one after the other."""

    @property
    def is_ready(self) -> bool:
        """Whether an encoder could ever have come in."""

    def visit(self) -> AbstractAsyncContextManager[tuple[Receiver, list[str]]]:
        """Wait for an encoder that showed the stream key; its receiver, and ffmpeg's words on its stream."""


class Ingest:
    """Serves one encoder at a time until cancelled."""

    def __init__(
        self, executable: str, source: Source, key: StreamKey, folder: Path, publisher: Publisher,
        segment_seconds: float,
    ) -> None:  # fmt: skip
        self._executable = executable
        self._source = source
        self._key = key
        self._folder = folder
        self._publisher = publisher
        self._segment_seconds = segment_seconds
        self._has_sparse_key_frames = False
        self._live: Receiver | None = None
        self.is_publishing = False
        """Whether an encoder is connected."""

    @property
    def is_ready(self) -> bool:
        """Whether an encoder could ever have come in."""
        return self._source.is_ready

    async def run(self) -> None:
        """Take visits for ever. A failure ends a visit, never the origin: viewers may still read the last segments."""
        dropping = asyncio.create_task(self._answer_drop_requests())
        try:
            while True:
                try:
                    await self._visit()
                    continue
                except OriginError as error:
                    self._note_fault(str(error))
                except OSError as error:
                    # No room for the folder, no more processes or files: it may pass, and what is published stays.
                    self._note_fault(
                        f"the origin cannot take an encoder now: {error.strerror or error}"
                    )
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            dropping.cancel()

    def _note_fault(self, reason: str) -> None:
        self._publisher.fault = reason
        _log.error("encoder.dropped", reason=reason)

    async def _visit(self) -> None:
        """Serve one encoder to its end."""
        await asyncio.to_thread(_empty, self._folder)
        async with self._source.visit() as (receiver, description):
            plan = plan_for(description, has_sparse_key_frames=self._has_sparse_key_frames)
            _log.info("encoder.connected", video=plan.video, audio=plan.audio, reason=plan.reason)
            self._live = receiver
            try:
                await self._package(plan, receiver.output)
            finally:
                self._live = None
            _log.info("encoder.left")

    async def _answer_drop_requests(self) -> None:
        while True:
            if self._key.take_drop_request() and self._live is not None:
                _log.info("encoder.cut_off", reason="the stream key was rotated with --drop")
                self._live.stop()
            await asyncio.sleep(_DROP_POLL_SECONDS)

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


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
