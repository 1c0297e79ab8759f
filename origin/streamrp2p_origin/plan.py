"""Which renditions, copied or transcoded? Decided from what ffmpeg says of an encoder's stream; pure."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from streamrp2p_origin.errors import UnusableInputError
from streamrp2p_origin.ladder import Ladder

_STREAM = re.compile(r"\s*Stream #0:\d+.*?: (Video|Audio): (\w+)(?: \(([^)]*)\))?(.*)")
_SIZE = re.compile(r"[ ,]([1-9]\d{1,4})x([1-9]\d{1,4})(?=[ ,\[]|$)")
_BROWSER_PROFILES = {"Constrained Baseline", "Baseline", "Main", "High"}
_BROWSER_PIXELS = ("yuv420p", "yuvj420p")
_ADTS_TAG = "0x000F"
"""MPEG-TS's mark of AAC whose blocks each say what they are, where MP4 must say it once and before all others."""
BITS_PER_PIXEL_SECOND = 3
"""Of a source that must be transcoded and whose bit rate nobody stated: 0.1 bits for each pixel at 30 frames/s."""
_LEAST_KBIT = 200

Mode = Literal["copy", "transcode"]


@dataclass(frozen=True, slots=True)
class Rendition:
    """One of the streams that are made. `height` and `kbit` are None when the source is copied."""

    name: str
    height: int | None
    kbit: int | None

    @property
    def is_copy(self) -> bool:
        """Whether the source is taken as it is."""
        return self.height is None


@dataclass(frozen=True, slots=True)
class Plan:
    """How to package one encoder's visit. `audio` is None without sound; `reason` explains a transcoding."""

    renditions: tuple[Rendition, ...]
    audio: Mode | None
    reason: str

    @property
    def video(self) -> Mode:
        """What happens to the source's picture."""
        return "copy" if self.renditions[0].is_copy else "transcode"


def plan_for(
    description: Iterable[str], ladder: Ladder, *, kept: Collection[str] = (),
    has_sparse_key_frames: bool = False,
) -> Plan:  # fmt: skip
    """Plan from the lines with which ffmpeg describes its input, such as `Stream #0:0: Video: h264 (Main), ...`.

    What every browser plays, with key frames where segments must begin, is copied, anything else transcoded. `kept`
    names the renditions that players may be watching. Raises UnusableInputError without a picture.
    """
    streams = [match for line in description if (match := _STREAM.match(line))]
    video = next((match for match in streams if match[1] == "Video"), None)
    audio = next((match for match in streams if match[1] == "Audio"), None)
    size = _SIZE.search(video[4]) if video else None
    if video is None or size is None:
        raise UnusableInputError(
            "the encoder sends no video that can be read; add a video source, encoded as H.264"
        )
    reasons = []
    if not _plays_in_browsers(video):
        reasons.append(f"video is {video[2]} {video[3] or ''}".rstrip() + ", browsers play H.264")
    if has_sparse_key_frames:
        reasons.append("the encoder's key frames were too far apart for segments")
    must_transcode = bool(reasons)
    copies_audio = audio is not None and audio[2] == "aac" and _ADTS_TAG not in audio[4]
    if audio is not None and audio[2] != "aac":
        reasons.append(f"audio is {audio[2]}, browsers play AAC")
    elif audio is not None and not copies_audio:
        reasons.append("audio is AAC as MPEG-TS carries it, which describes itself too late")
    return Plan(
        _renditions(ladder, int(size[1]), int(size[2]), kept, must_transcode=must_transcode),
        audio=None if audio is None else "copy" if copies_audio else "transcode",
        reason="; ".join(reasons) or "H.264 and AAC are taken as they are",
    )


def _renditions(
    ladder: Ladder, width: int, height: int, kept: Collection[str], *, must_transcode: bool
) -> tuple[Rendition, ...]:
    source, *smaller = ladder.fitting(height, kept)
    first = Rendition(source.name, None, None)
    if must_transcode:
        usual_kbit = max(width * height * BITS_PER_PIXEL_SECOND // 1000, _LEAST_KBIT)
        first = Rendition(source.name, height, source.kbit or usual_kbit)
    return (first, *(Rendition(rung.name, rung.height, rung.kbit) for rung in smaller))


def _plays_in_browsers(video: re.Match[str]) -> bool:
    return (
        video[2] == "h264"
        and video[3] in _BROWSER_PROFILES
        and any(pixels in video[4] for pixels in _BROWSER_PIXELS)
    )
