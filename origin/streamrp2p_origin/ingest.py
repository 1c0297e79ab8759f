"""Encoders' visits, one after the other: from ffmpeg that receives to ffmpeg that packages, and on to the publisher."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import structlog

from streamrp2p_origin.errors import OriginError
from streamrp2p_origin.packager import Packager
from streamrp2p_origin.plan import Plan, plan_for
from streamrp2p_origin.pool_rate import RateGauge
from streamrp2p_origin.publisher import Publisher, Stream
from streamrp2p_origin.receiver import Receiver
from streamrp2p_origin.stream_key import StreamKey
from streamrp2p_origin.visit import Visit

_log = structlog.get_logger()

RETRY_SECONDS = 0.5
"""Between a visit that came to nothing and the next."""
_FIRST_SECONDS = 10.0
"""The first timestamp: what is decoded before it is shown must not be below 0."""
_DROP_POLL_SECONDS = 0.2
"""How soon a live encoder is dropped once that is asked for."""


class Source(Protocol):
    """Where encoders come in, one after the other."""

    @property
    def is_ready(self) -> bool:
        """Whether an encoder could ever have come in."""

    def open(self) -> AbstractAsyncContextManager[None]:
        """Make ready for visits meanwhile; raises OriginSetupError when that cannot be."""

    def visit(self) -> AbstractAsyncContextManager[tuple[Receiver, list[str]]]:
        """Wait for an encoder that showed the stream key; its receiver, and ffmpeg's words on its stream."""


class Inlets(Protocol):
    """Where encoders connect, as the operator chose."""

    @property
    def url(self) -> str:
        """The RTMP address, without the stream key."""

    def source(self, executable: str, key: StreamKey) -> Source:
        """Return what takes encoders there."""


class Ingest:
    """Serves one encoder at a time until cancelled."""

    def __init__(
        self,
        executable: str,
        source: Source,
        key: StreamKey,
        publisher: Publisher,
        stream: Stream,
    ) -> None:
        self._executable = executable
        self._source = source
        self._key = key
        self._publisher = publisher
        self._stream = stream
        self._has_sparse_key_frames = False
        self._began_at = time.monotonic()
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
        self._publisher.visit_fault = reason
        _log.error("encoder_dropped", reason=reason)

    async def _visit(self) -> None:
        """Serve one encoder to its end."""
        async with self._source.visit() as (receiver, description):
            plan = plan_for(
                description,
                self._stream.packaging.ladder,
                kept=self._publisher.names,
                has_sparse_key_frames=self._has_sparse_key_frames,
            )
            _log.info(
                "encoder_connected",
                video=plan.video,
                audio=plan.audio,
                renditions=[rendition.name for rendition in plan.renditions],
                reason=plan.reason,
            )
            self._live = receiver
            try:
                await self._package(plan, receiver.output)
            finally:
                self._live = None
            _log.info("encoder_left")

    async def _answer_drop_requests(self) -> None:
        while True:
            if self._key.take_drop_request() and self._live is not None:
                _log.info("encoder_cut_off", reason="the stream key was rotated with --drop")
                self._live.stop()
            await asyncio.sleep(_DROP_POLL_SECONDS)

    async def _package(self, plan: Plan, reading: int) -> None:
        packaging = self._stream.packaging
        gauge = RateGauge(self._stream.max_bytes_per_second)
        visit = Visit(self._executable, plan, self._publisher, packaging.segment_seconds, gauge)
        # As time goes on from one visit to the next, so do the timestamps: some players know no discontinuities.
        begin_seconds = _FIRST_SECONDS + time.monotonic() - self._began_at
        packager = await Packager.start(self._executable, plan, packaging, begin_seconds, reading)
        self.is_publishing = True
        try:
            await visit.run(packager)
        finally:
            self.is_publishing = False
            self._has_sparse_key_frames |= visit.has_sparse_key_frames
            await packager.kill()
