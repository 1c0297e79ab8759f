"""Every rendition's pictures and the one sound, woven into parts for the publisher. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamrp2p_origin.cutting import Cut, Cutter
from streamrp2p_origin.errors import MalformedMediaError, PackagingError
from streamrp2p_origin.fragments import Sample, initialization
from streamrp2p_origin.movie import Track

MAX_WAITING_SAMPLES = 600
"""Pictures of one rendition, or blocks of sound, that wait for the others' first word: ten seconds and more."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A rendition begins: what a player must load first, and what it may know before that. `codecs` are RFC 6381's."""

    initialization: bytes
    codecs: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Output:
    """What happened in a rendition."""

    rendition: str
    event: Opened | Cut


class Weaver:
    """Takes tracks and samples as they come; per rendition gives an `Opened`, then its cuts."""

    def __init__(
        self, renditions: Sequence[str], segment_seconds: float, part_seconds: float, *, has_audio: bool
    ) -> None:  # fmt: skip
        self._segment_seconds = segment_seconds
        self._part_seconds = part_seconds
        self._has_audio = has_audio
        self._audio: Track | None = None
        self._video: dict[str, Track] = {}
        self._cutters: dict[str, Cutter] = {}
        self._early: dict[str, list[Sample]] = {name: [] for name in renditions}
        self._early_sound: list[Sample] = []

    def add_picture(self, rendition: str, item: Track | Sample) -> list[Output]:
        """Take what a rendition's pipe brings. Raises PackagingError."""
        if isinstance(item, Track):
            if item.kind != "video":
                raise MalformedMediaError("a picture's pipe carries no picture")
            self._video[rendition] = item
            return self._open()
        if (cutter := self._cutters.get(rendition)) is not None:
            return _outputs(rendition, cutter.add_picture(item))
        _wait(self._early[rendition], item, "sound and sends none; check its audio source")
        return []

    def add_sound(self, item: Track | Sample) -> list[Output]:
        """Take what the sound's pipe brings. Raises PackagingError."""
        if isinstance(item, Track):
            if item.kind != "audio":
                raise MalformedMediaError("the sound's pipe carries no sound")
            self._audio = item
            return self._open()
        if not self._cutters:
            _wait(self._early_sound, item, "pictures and sends none; check its video source")
        outputs = []
        for rendition, cutter in self._cutters.items():
            outputs += _outputs(rendition, cutter.add_sound(item))
        return outputs

    def end(self) -> list[Output]:
        """Give what is left: the stream has ended."""
        return [
            output
            for rendition, cutter in self._cutters.items()
            for output in _outputs(rendition, cutter.end())
        ]

    def _open(self) -> list[Output]:
        """Begin all renditions at once, so that none misses sound that another has."""
        if len(self._video) < len(self._early) or (self._has_audio and self._audio is None):
            return []
        outputs = []
        for rendition, waiting in self._early.items():
            video = self._video[rendition]
            tracks = [video] if self._audio is None else [video, self._audio]
            codecs = ",".join(track.codec for track in tracks)
            opened = Opened(initialization(tracks), codecs, video.width, video.height)
            cutter = Cutter(video, self._audio, self._segment_seconds, self._part_seconds)
            self._cutters[rendition] = cutter
            outputs.append(Output(rendition, opened))
            for block in self._early_sound:
                cutter.add_sound(block)
            for sample in waiting:
                outputs += _outputs(rendition, cutter.add_picture(sample))
            waiting.clear()
        self._early_sound.clear()
        return outputs


def _wait(waiting: list[Sample], sample: Sample, what: str) -> None:
    if len(waiting) >= MAX_WAITING_SAMPLES:
        raise PackagingError(f"the encoder announced {what}")
    waiting.append(sample)


def _outputs(rendition: str, cuts: list[Cut]) -> list[Output]:
    return [Output(rendition, cut) for cut in cuts]
