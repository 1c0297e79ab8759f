"""Copy or transcode? Decided from what ffmpeg says of an encoder's stream; pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from streamrp2p_origin.errors import UnusableInputError

_STREAM = re.compile(r"\s*Stream #0:\d+.*?: (Video|Audio): (\w+)(?: \(([^)]*)\))?(.*)")
_BROWSER_PROFILES = {"Constrained Baseline", "Baseline", "Main", "High"}
_BROWSER_PIXELS = ("yuv420p", "yuvj420p")

Mode = Literal["copy", "transcode"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to package one encoder's visit. `audio` is None without sound; `reason` explains a transcoding."""

    video: Mode
    audio: Mode | None
    reason: str


def plan_for(description: Iterable[str], *, has_sparse_key_frames: bool = False) -> Plan:
    """Plan from the lines with which ffmpeg describes its input, such as `Stream #0:0: Video: h264 (Main), ...`.

    What every browser plays, with key frames where segments must begin, is copied, anything else transcoded.
    Raises UnusableInputError without a picture.
    """
    streams = [match for line in description if (match := _STREAM.match(line))]
    video = next((match for match in streams if match[1] == "Video"), None)
    audio = next((match for match in streams if match[1] == "Audio"), None)
    if video is None:
        raise UnusableInputError(
            "the encoder sends no video that can be read; add a video source, encoded as H.264"
        )
    reasons = []
    if not _plays_in_browsers(video):
        reasons.append(f"video is {video[2]} {video[3] or ''}".rstrip() + ", browsers play H.264")
    if has_sparse_key_frames:
        reasons.append("the encoder's key frames were too far apart for segments")
    must_transcode = bool(reasons)
    if audio is not None and audio[2] != "aac":
        reasons.append(f"audio is {audio[2]}, browsers play AAC")
    return Plan(
        video="transcode" if must_transcode else "copy",
        audio=None if audio is None else "copy" if audio[2] == "aac" else "transcode",
        reason="; ".join(reasons) or "H.264 and AAC are taken as they are",
    )


def _plays_in_browsers(video: re.Match[str]) -> bool:
    return (
        video[2] == "h264"
        and video[3] in _BROWSER_PROFILES
        and any(pixels in video[4] for pixels in _BROWSER_PIXELS)
    )
