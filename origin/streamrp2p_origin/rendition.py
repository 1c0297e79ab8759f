"""One rendition as it is published: its window, the bytes of the segment in progress, its signed playlists."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from streamrp2p.numbers import Hash
from streamrp2p.playlist import MAX_OBJECT_BYTES, MediaObject, Part
from streamrp2p_origin.cutting import CutPart
from streamrp2p_origin.errors import PackagingError
from streamrp2p_origin.store import Store
from streamrp2p_origin.weaving import Opened
from streamrp2p_origin.window import MICROS, LiveWindow, Visit


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed playlist; `delta` is its delta update, or the same where there is nothing to leave out."""

    full: bytes
    delta: bytes
    published_at: int


Signer = Callable[[str, Iterable[MediaObject], int], bytes]
"""Signs a playlist's text, which names these objects, with a time in Unix seconds."""


class Rendition:
    """Keeps what is published of one rendition in step: objects are in the store before a playlist names them."""

    def __init__(self, window: LiveWindow, store: Store, signer: Signer) -> None:
        self._window = window
        self._store = store
        self._signer = signer
        self._pending: list[bytes] = []
        """The parts of the segment in progress."""
        self._changed = asyncio.Event()
        self.signed: Signed | None = None
        self.opened: Opened | None = None
        """The description of the running visit, once it has begun, or of the last."""
        self.frame_rate_millihertz = 0

    @property
    def window(self) -> LiveWindow:
        """What the playlist lists."""
        return self._window

    @property
    def is_showing(self) -> bool:
        """Whether the running visit has brought something, or the last one had."""
        return self.opened is not None and self.frame_rate_millihertz > 0

    async def change(self) -> None:
        """Wait until more is listed."""
        await self._changed.wait()

    def open(self, opened: Opened, visit_number: int, sequence: int) -> None:
        """Begin a visit; its first segment will have the number `sequence`."""
        # By the number and not the visit's: that one begins anew in a new folder.
        name = f"{self._window.rendition}-{sequence}.init.mp4"
        visit = Visit(visit_number, self._put(name, opened.initialization))
        self._window = self._window.begin_visit(visit, sequence)
        self.opened = opened
        self.frame_rate_millihertz = 0

    def add_part(self, cut: CutPart, begins_at: str) -> None:
        """List one more part of the segment in progress, which is shown from that moment of RFC 3339 on.

        Raises PackagingError when the segment gets larger than its readers take.
        """
        if sum(map(len, self._pending)) + len(cut.data) > MAX_OBJECT_BYTES:
            raise PackagingError(
                f"a segment has more than {MAX_OBJECT_BYTES} bytes; "
                "lower the encoder's bit rate or its key frame interval"
            )
        window = self._window
        name = f"{window.rendition}-{window.next_sequence:08d}.{len(window.parts)}.m4s"
        part = Part(self._put(name, cut.data), cut.duration_micros, cut.is_independent)
        self._pending.append(cut.data)
        self._window = window.add_part(part, begins_at)
        if self.frame_rate_millihertz == 0:
            self.frame_rate_millihertz = cut.pictures * 1000 * MICROS // max(cut.duration_micros, 1)

    def end_segment(self) -> None:
        """List the parts in progress as a segment."""
        window = self._window
        data = b"".join(self._pending)
        name = f"{window.rendition}-{window.next_sequence:08d}.m4s"
        self._window = window.end_segment(_object(name, data))
        self._store.add(name, data, for_disk=True)
        self._pending.clear()

    def add_thumbnail(self, sequence: int, data: bytes) -> None:
        """List a small picture for a segment."""
        self._window = self._window.add_thumbnail(
            sequence, self._put(f"thumb-{sequence:08d}.jpg", data)
        )

    def forget_before(self, sequence: int) -> None:
        """List no segment before this one any more."""
        self._window = self._window.without_before(sequence)

    def sign(self, published_at: int) -> None:
        """Make the playlists anew and wake who waits for them."""
        window, objects = self._window, list(self._window.objects())
        full = self._signer(window.text(), objects, published_at)
        skipped = window.skippable()
        delta = self._signer(window.text(skipped), objects, published_at) if skipped else full
        self.signed = Signed(full, delta, published_at)
        self._changed.set()
        self._changed = asyncio.Event()

    def _put(self, name: str, data: bytes) -> MediaObject:
        self._store.add(name, data)
        return _object(name, data)


def _object(name: str, data: bytes) -> MediaObject:
    return MediaObject(name, len(data), Hash(sha256(data).digest()))
