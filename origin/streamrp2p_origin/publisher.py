"""Takes what comes out of the packager and keeps, vouched for, what is served."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path

from streamrp2p.durable import StorageError
from streamrp2p.playlist import MediaObject, sign_playlist
from streamrp2p.typed_data import Domain
from streamrp2p_origin.cutting import CutPart, SegmentEnd
from streamrp2p_origin.errors import PackagingError
from streamrp2p_origin.identity import Identity
from streamrp2p_origin.numbering import Numbering
from streamrp2p_origin.packaging import Packaging
from streamrp2p_origin.rendition import Rendition, Signed
from streamrp2p_origin.store import Store
from streamrp2p_origin.variants import multivariant_text, rate_of
from streamrp2p_origin.weaving import Opened, Output
from streamrp2p_origin.window import MICROS, SKIP_TARGETS, LiveWindow

_UNIX = datetime(1970, 1, 1)  # noqa: DTZ001 - all is UTC, and its text says so
REFRESH_SECONDS = 2.0
"""How old a playlist may get before it is signed anew without anything new."""

_REMEMBERED_STARTS = 64
"""No rendition falls so many segments behind another."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What is published, for whom and under which domain."""

    pool_id: int
    domain: Domain
    max_bytes_per_second: int
    """The pool's rate: what each viewer is credited at most."""
    packaging: Packaging = Packaging()  # noqa: RUF009 - it cannot be changed


class Publisher:
    """The one writer of an origin's folder; belongs to one event loop. `clock` gives Unix seconds."""

    def __init__(
        self, folder: Path, identity: Identity, stream: Stream, clock: Callable[[], float]
    ) -> None:
        self._identity = identity
        self._stream = stream
        self._clock = clock
        self._numbering = Numbering(folder, clock)
        self._store = Store(folder)
        self._renditions: dict[str, Rendition] = {}
        self._current: list[Rendition] = []
        """Those of the running visit, or of the last."""
        self._first_sequence = 0
        """The number of the running visit's first segment."""
        self._starts: dict[int, int] = {}
        """When the newest segments of the running visit begin, by number, in microseconds of its own timestamps."""
        self._epoch_micros: int | None = None
        """What makes these Unix time."""
        self._gone_at: dict[str, float] = {}
        """When each object that the store still has left the playlists."""
        self._published_at = 0
        self._variants = ""
        self._disk_fault: str | None = None
        self.multivariant: Signed | None = None
        """The playlist of playlists, once every rendition has something to show."""
        self.visit_fault: str | None = None
        """Why the newest visit could not be served, or None."""

    @property
    def next_sequence(self) -> int:
        """The number of the next segment that no rendition has begun."""
        return self._numbering.sequence

    @property
    def fault(self) -> str | None:
        """What is wrong now, or None."""
        return self._disk_fault or self.visit_fault

    @property
    def names(self) -> frozenset[str]:
        """The renditions that players may be watching."""
        return frozenset(self._renditions)

    def rendition(self, name: str) -> Rendition | None:
        """Return what is published of a rendition, or None for one that never was."""
        return self._renditions.get(name)

    async def read(self, name: str) -> bytes | None:
        """Return the bytes of an object that a playlist names or named a little ago, or None."""
        return await self._store.read(name)

    def begin_visit(self, renditions: Iterable[str]) -> None:
        """Begin an encoder's visit with these renditions. Raises StorageError when no number is left to give."""
        self._numbering.reserve()
        self._first_sequence = self._numbering.sequence
        self._current = [self._rendition(name) for name in renditions]
        for rendition in self._current:
            rendition.opened = None
        self._epoch_micros = None

    def publish(self, output: Output) -> None:
        """Publish what the packager made. Raises PackagingError, or StorageError when no number is left to give."""
        rendition = self._renditions[output.rendition]
        match output.event:
            case Opened() as opened:
                rendition.open(opened, self._numbering.visit, self._first_sequence)
                return
            case CutPart() as cut:
                if not rendition.window.parts:
                    self._number_segment(rendition.window.next_sequence, cut.segment_start_micros)
                rendition.add_part(cut, self._moment(cut))
            case SegmentEnd():
                rendition.end_segment()
        self._sign(rendition)
        self.visit_fault = None

    def add_thumbnail(self, sequence: int, data: bytes) -> None:
        """List a small picture for a segment of every rendition of the running visit."""
        for rendition in self._current:
            rendition.add_thumbnail(sequence, data)

    def end_visit(self) -> None:
        """Close what is in progress: the next visit begins with a segment of its own."""
        for rendition in self._current:
            if rendition.window.parts:
                rendition.end_segment()
                self._sign(rendition)
        if self._starts:
            self._numbering.visit += 1
        self._starts.clear()

    async def keep(self) -> None:
        """Do what time asks for: sign what grows old, write segments to the disk, delete what nobody asks for any more.

        So a playlist that grows old always means a relay that fell behind, even while no encoder is connected.
        """
        oldest = self._clock() - REFRESH_SECONDS
        for rendition in self._renditions.values():
            if rendition.signed is not None and rendition.signed.published_at <= oldest:
                rendition.sign(self._now())
        if self.multivariant is not None and self.multivariant.published_at <= oldest:
            self._sign_multivariant()
        self._tidy(self._clock())
        try:
            await self._store.write_pending()
            self._disk_fault = None
        except StorageError as error:
            self._disk_fault = str(error)
            self._shorten(set(self._store.overdue()))

    def _number_segment(self, sequence: int, start_micros: int) -> None:
        """Take note of a rendition's new segment: its number stands for the same pictures in all of them."""
        if self._starts.setdefault(sequence, start_micros) != start_micros:
            raise PackagingError(
                "the renditions lost step: the encoder's stream has a key frame that cannot be decoded"
            )
        for old in [each for each in self._starts if each < sequence - _REMEMBERED_STARTS]:
            del self._starts[old]
        if sequence >= self._numbering.sequence:
            self._numbering.reserve()
            self._numbering.sequence = sequence + 1

    def _moment(self, cut: CutPart) -> str:
        """Return when the part's segment is shown: the visit's first part has just ended."""
        if self._epoch_micros is None:
            now = int(self._clock() * MICROS)
            self._epoch_micros = now - cut.duration_micros - cut.segment_start_micros
        moment = _UNIX + timedelta(microseconds=self._epoch_micros + cut.segment_start_micros)
        return f"{moment.isoformat(timespec='milliseconds')}Z"

    def _sign(self, rendition: Rendition) -> None:
        rendition.sign(self._now())
        if all(each.is_showing for each in self._current):
            self._variants = multivariant_text(
                (
                    each.window.rendition,
                    each.opened,
                    rate_of(each.window),
                    each.frame_rate_millihertz,
                )
                for each in self._current
                if each.opened is not None
            )
            self._sign_multivariant()

    def _sign_multivariant(self) -> None:
        now = self._now()
        text = self._signature(self._variants, (), now)
        self.multivariant = Signed(text, text, now)

    def _signature(self, text: str, objects: Iterable[MediaObject], published_at: int) -> bytes:
        return sign_playlist(
            text,
            objects,
            pool_id=self._stream.pool_id,
            domain=self._stream.domain,
            published_at=published_at,
            origin_key=self._identity.origin_key,
        )

    def _now(self) -> int:
        # A clock that is set back must not make a playlist look older than the one before.
        self._published_at = max(self._published_at, int(self._clock()))
        return self._published_at

    def _tidy(self, now: float) -> None:
        listed = {
            each.name
            for rendition in self._renditions.values()
            for each in rendition.window.objects()
        }
        # A thumbnail may be listed after it was not.
        self._gone_at = {name: at for name, at in self._gone_at.items() if name not in listed}
        for name in self._store.names() - listed:
            if now - self._gone_at.setdefault(name, now) >= self._grace_seconds(name):
                del self._gone_at[name]
                self._store.remove(name)

    def _grace_seconds(self, name: str) -> float:
        """Return how long an object stays that no playlist names any more (RFC 8216, 6.2.2).

        A part is listed for some seconds only, all else for as long as the window is.
        """
        if self._store.is_in_memory(name):
            return 2 * SKIP_TARGETS * ceil(self._stream.packaging.segment_seconds)
        return self._stream.packaging.dvr_seconds

    def _shorten(self, lost: set[str]) -> None:
        """Give up, in all renditions, the segments that neither disk nor memory has room for, and all before them."""
        sequence = 0
        for rendition in self._renditions.values():
            window = rendition.window
            for number, segment in enumerate(window.segments, window.media_sequence):
                if segment.object.name in lost:
                    sequence = max(sequence, number + 1)
        for rendition in self._renditions.values():
            rendition.forget_before(sequence)
        for name in lost:
            self._store.remove(name)

    def _rendition(self, name: str) -> Rendition:
        if name not in self._renditions:
            window = LiveWindow(
                name,
                round(self._stream.packaging.dvr_seconds * MICROS),
                self._numbering.sequence,
                ceil(self._stream.packaging.segment_seconds),
                round(self._stream.packaging.part_seconds * MICROS),
            )
            self._renditions[name] = Rendition(window, self._store, self._signature)
        return self._renditions[name]
