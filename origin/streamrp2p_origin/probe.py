"""Copy or transcode? Decided from what an encoder sends first; pure."""

from dataclasses import dataclass, field
from typing import Literal

from streamrp2p_origin import flv
from streamrp2p_origin.errors import UnusableInputError
from streamrp2p_origin.rtmp.session import VIDEO, MediaTag

MAX_PROBE_BYTES = 32 * 1024 * 1024
NO_VIDEO_SECONDS = 5.0
"""Some encoders send a few seconds of sound before the first picture."""

Mode = Literal["copy", "transcode"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to package one encoder's visit. `audio` is None without sound; `reason` explains a transcoding."""

    video: Mode
    audio: Mode | None
    reason: str


@dataclass(slots=True)
class Probe:
    """Takes the first tags until it can tell. Keep the tags: they must be packaged as well."""

    segment_seconds: float
    _codecs: dict[int, str] = field(default_factory=dict)
    _bytes: int = 0
    _first_ms: int | None = None
    _key_frames_ms: list[int] = field(default_factory=list)
    _plays_in_browsers: bool = True

    @property
    def longest_gap_seconds(self) -> float:
        """How far apart key frames may be so that segments can be cut at them."""
        return 2 * self.segment_seconds

    def take(self, tag: MediaTag) -> Plan | None:
        """Return the plan once it is clear; raises UnusableInputError when no plan can be."""
        self._bytes += len(tag.payload)
        self._first_ms = tag.timestamp_ms if self._first_ms is None else self._first_ms
        self._learn(tag)
        seconds = (tag.timestamp_ms - self._first_ms) / 1000
        if VIDEO not in self._codecs:
            if seconds > NO_VIDEO_SECONDS or self._bytes > MAX_PROBE_BYTES:
                raise UnusableInputError(
                    "the encoder sends no video; add a video source, encoded as H.264"
                )
            return None
        if len(self._key_frames_ms) > 1:
            return self._plan((self._key_frames_ms[1] - self._key_frames_ms[0]) / 1000)
        begun_ms = self._key_frames_ms[0] if self._key_frames_ms else self._first_ms
        gap_seconds = (tag.timestamp_ms - begun_ms) / 1000
        is_long = gap_seconds > self.longest_gap_seconds or self._bytes > MAX_PROBE_BYTES
        return self._plan(max(gap_seconds, self.longest_gap_seconds * 1.001)) if is_long else None

    def _learn(self, tag: MediaTag) -> None:
        codec = flv.codec(tag)
        if codec is None and tag.payload:
            kind = "video" if tag.kind == VIDEO else "audio"
            wanted = flv.H264 if tag.kind == VIDEO else flv.AAC
            raise UnusableInputError(
                f"the encoder's {kind} codec (first byte 0x{tag.payload[0]:02x}) cannot be read; "
                f"set the encoder to {wanted}"
            )
        if codec is not None:
            self._codecs.setdefault(tag.kind, codec)
        if tag.kind == VIDEO and codec == flv.H264 and flv.is_codec_header(tag):
            self._plays_in_browsers = flv.plays_in_browsers(tag)
        if flv.is_key_frame(tag):
            self._key_frames_ms.append(tag.timestamp_ms)

    def _plan(self, gap_seconds: float) -> Plan:
        video = self._codecs[VIDEO]
        audio = next((codec for kind, codec in self._codecs.items() if kind != VIDEO), None)
        reasons = []
        if video != flv.H264:
            reasons.append(f"the video is {video}, not {flv.H264}")
        elif not self._plays_in_browsers:
            reasons.append("the H.264 profile is one that browsers do not play")
        if gap_seconds > self.longest_gap_seconds:
            reasons.append(
                f"key frames are {gap_seconds:.1f} s apart, "
                f"more than {self.longest_gap_seconds:g} s: set the key frame interval lower"
            )
        video_mode: Mode = "transcode" if reasons else "copy"
        if audio not in (None, flv.AAC):
            reasons.append(f"the audio is {audio}, not {flv.AAC}")
        audio_mode: Mode | None = None
        if audio is not None:
            audio_mode = "copy" if audio == flv.AAC else "transcode"
        return Plan(video_mode, audio_mode, "; ".join(reasons))
