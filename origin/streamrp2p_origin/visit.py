"""One encoder's visit from the packager to the publisher, with thumbnails on the way."""

import asyncio
import contextlib
import time
from collections.abc import Callable

import structlog

from streamrp2p.durable import StorageError
from streamrp2p_origin.cutting import CutPart
from streamrp2p_origin.errors import OriginError
from streamrp2p_origin.packager import Packager
from streamrp2p_origin.plan import Plan
from streamrp2p_origin.pool_rate import RateGauge
from streamrp2p_origin.publisher import Publisher
from streamrp2p_origin.thumbnails import INTERVAL_SECONDS, thumbnail
from streamrp2p_origin.weaving import Opened, Output

_log = structlog.get_logger()

IDLE_SEGMENTS = 5
LEAST_IDLE_SECONDS = 15.0
"""An encoder that brings nothing for this time, or so many segments' time, is gone: its place is freed."""
_LONG_SEGMENT = 2.0
"""Times the wanted length; then the encoder's key frames are too far apart."""
_MICROS = 1_000_000


class Visit:
    """Publishes what a packager makes until that ends."""

    def __init__(
        self, executable: str, plan: Plan, publisher: Publisher, segment_seconds: float,
        gauge: RateGauge, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._executable = executable
        self._publisher = publisher
        self._segment_seconds = segment_seconds
        self._gauge = gauge
        self._has_warned = False
        """Whether the pool's rate was said to be too low."""
        self._monotonic = monotonic
        self._names = [rendition.name for rendition in plan.renditions]
        self._smallest = self._names[-1]
        self._maps: dict[str, bytes] = {}
        self._segment_micros = 0
        """Of the source's segment in progress."""
        self._picturing: asyncio.Task[None] | None = None
        self._pictured_at: float | None = None
        self.has_sparse_key_frames = False
        """Whether the encoder's key frames are too far apart for segments."""

    async def run(self, packager: Packager) -> None:
        """Publish until ffmpeg ends. Raises OriginError when that fails or the encoder falls silent."""
        try:
            self._publisher.begin_visit(self._names)
            await self._publish_all(packager)
            await packager.wait()
        except StorageError as error:
            raise OriginError(str(error)) from error
        finally:
            if self._picturing is not None:
                self._picturing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._picturing
            self._publisher.end_visit()

    async def _publish_all(self, packager: Packager) -> None:
        outputs = aiter(packager.outputs())
        patience_seconds = max(IDLE_SEGMENTS * self._segment_seconds, LEAST_IDLE_SECONDS)
        while True:
            try:
                # Not wait_for: before Python 3.12 it may lose a cancellation, and the origin would not stop.
                async with asyncio.timeout(patience_seconds):
                    output = await anext(outputs)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise OriginError(
                    f"the encoder brought nothing for {patience_seconds:g} s; check that it still sends"
                ) from None
            self._publish(output)

    def _publish(self, output: Output) -> None:
        name, event = output.rendition, output.event
        self._publisher.publish(output)
        if isinstance(event, Opened):
            self._maps[name] = event.initialization
        elif isinstance(event, CutPart):
            self._gauge.add(name, len(event.data), event.duration_micros)
            if name == self._names[0]:
                self._note_length(event)
            if name == self._smallest and event.is_independent:
                self._picture(event)
        elif name == self._names[0]:
            seconds = self._segment_micros / _MICROS
            sequence = self._sequence(name) - 1
            _log.info("segment_published", sequence=sequence, seconds=round(seconds, 3))
            self._segment_micros = 0
            self._check_rate()

    def _check_rate(self) -> None:
        shortfall = None if self._has_warned else self._gauge.shortfall()
        if shortfall is not None:
            self._has_warned = True
            _log.warning("pool_rate_low", **shortfall.shown())

    def _note_length(self, part: CutPart) -> None:
        self._segment_micros += part.duration_micros
        seconds = self._segment_micros / _MICROS
        if seconds > _LONG_SEGMENT * self._segment_seconds and not self.has_sparse_key_frames:
            # Cut short, the running visit would lose its viewers more than long segments do.
            self.has_sparse_key_frames = True
            _log.warning(
                "segment_long",
                advice=f"set the encoder's key frame interval to {self._segment_seconds:g} s; "
                "the encoder's next visits are transcoded until the origin starts anew",
            )

    def _picture(self, part: CutPart) -> None:
        """Make a thumbnail of a part that begins with a key frame, if it is time for one."""
        now = self._monotonic()
        if self._pictured_at is not None and now - self._pictured_at < INTERVAL_SECONDS:
            return
        if self._picturing is None or self._picturing.done():
            self._pictured_at = now
            media = self._maps[self._smallest] + part.data
            self._picturing = asyncio.create_task(
                self._add_thumbnail(self._sequence(self._smallest), media)
            )

    async def _add_thumbnail(self, sequence: int, media: bytes) -> None:
        picture = await thumbnail(self._executable, media)
        if picture is not None:
            self._publisher.add_thumbnail(sequence, picture)

    def _sequence(self, name: str) -> int:
        rendition = self._publisher.rendition(name)
        assert rendition is not None  # noqa: S101 - its visit has begun
        return rendition.window.next_sequence
