"""One track of fragmented MP4 as it comes out of a pipe: its description, then its samples. Pure."""

from collections.abc import Iterator

from streamrp2p_origin.boxes import Box, BoxReader
from streamrp2p_origin.errors import MalformedMediaError
from streamrp2p_origin.fragments import Sample, read_samples
from streamrp2p_origin.movie import Track, read_movie


class TrackReader:
    """Takes bytes, gives the track once, then each sample."""

    def __init__(self) -> None:
        self._boxes = BoxReader()
        self._track: Track | None = None
        self._moof: Box | None = None

    def feed(self, data: bytes) -> Iterator[Track | Sample]:
        """Yield what `data` completes. Raises MalformedMediaError."""
        for box in self._boxes.feed(data):
            if box.kind == b"moov":
                self._track = read_movie(box.payload)
                yield self._track
            elif box.kind == b"moof":
                self._moof = box
            elif box.kind == b"mdat":
                if self._track is None or self._moof is None:
                    raise MalformedMediaError("media data comes before what describes it")
                yield from read_samples(self._track, self._moof, box)
                self._moof = None
