"""A publisher fed by hand, with a clock of the test's own, and what a viewer reads of it."""

from collections.abc import Callable
from pathlib import Path

from streamrp2p.numbers import Address
from streamrp2p.playlist import (
    MediaPlaylist,
    MultivariantPlaylist,
    verify_media_playlist,
    verify_multivariant_playlist,
)
from streamrp2p.typed_data import Domain
from streamrp2p_origin.cutting import CutPart, SegmentEnd
from streamrp2p_origin.identity import Identity
from streamrp2p_origin.packaging import Packaging
from streamrp2p_origin.publisher import Publisher, Stream
from streamrp2p_origin.weaving import Opened, Output

IDENTITY = Identity(bytes([1]) * 32)
DOMAIN = Domain(31337, Address(bytes([0xEB]) * 20))
START = 1_700_000_000


class Clock:
    """Unix seconds that move when the test says so."""

    def __init__(self) -> None:
        self.now = START + 0.5

    def __call__(self) -> float:
        return self.now


class Origin:
    """Renditions whose segments are two parts of one second each."""

    def __init__(
        self, folder: Path, clock: Callable[[], float], *renditions: str, dvr_seconds: float = 8.0
    ) -> None:
        self.renditions = renditions or ("source",)
        self.stream = Stream(7, DOMAIN, 10**6, Packaging(part_seconds=1.0, dvr_seconds=dvr_seconds))
        self.publisher = Publisher(folder, IDENTITY, self.stream, clock)
        self._start_micros: dict[str, int] = {}

    def begin(self, *, init: bytes = b"init") -> None:
        """Begin a visit and open all renditions."""
        self.publisher.begin_visit(self.renditions)
        self._start_micros = dict.fromkeys(self.renditions, 10_000_000)
        for name in self.renditions:
            opened = Opened(init + name.encode(), "avc1.4d401f,mp4a.40.2", 640, 360)
            self.publisher.publish(Output(name, opened))

    def part(self, name: str, data: bytes, *, start_micros: int | None = None) -> None:
        """Publish a part of the segment in progress."""
        rendition = self.publisher.rendition(name)
        assert rendition is not None
        start = self._start_micros[name] if start_micros is None else start_micros
        cut = CutPart(data, 1_000_000, 30, not rendition.window.parts, start)
        self.publisher.publish(Output(name, cut))

    def end_segment(self, name: str) -> None:
        """Close the segment in progress."""
        self.publisher.publish(Output(name, SegmentEnd()))
        self._start_micros[name] += 2_000_000

    def segment(self, data: bytes) -> None:
        """Publish a segment of two parts in every rendition."""
        for name in self.renditions:
            self.part(name, data + b"0")
            self.part(name, data + b"1")
            self.end_segment(name)

    def text(self, name: str = "source", *, delta: bool = False) -> bytes:
        """Return a rendition's signed playlist."""
        rendition = self.publisher.rendition(name)
        assert rendition is not None
        assert rendition.signed is not None
        return rendition.signed.delta if delta else rendition.signed.full

    def playlist(self, name: str = "source", *, delta: bool = False) -> MediaPlaylist:
        """Return what a viewer reads of a rendition."""
        return verify_media_playlist(
            self.text(name, delta=delta),
            pool_id=7, rendition=name, domain=DOMAIN, origin=IDENTITY.address,
        )  # fmt: skip

    def multivariant(self) -> MultivariantPlaylist:
        """Return what a viewer reads of the playlist of playlists."""
        assert self.publisher.multivariant is not None
        return verify_multivariant_playlist(
            self.publisher.multivariant.full, pool_id=7, domain=DOMAIN, origin=IDENTITY.address
        )
