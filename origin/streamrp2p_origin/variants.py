"""The multivariant playlist's plain text: every rendition with what it measured. Pure; RFC 8216bis section 4.4.6.2."""

from collections.abc import Iterable
from dataclasses import dataclass

from streamrp2p.playlist import playlist_name
from streamrp2p_origin.weaving import Opened
from streamrp2p_origin.window import MICROS, LiveWindow

_BITS = 8


@dataclass(frozen=True, slots=True)
class Rate:
    """Bits per second: of the window's densest segment, and of all of it."""

    peak: int
    average: int


def rate_of(window: LiveWindow) -> Rate:
    """Measure the segments, or the parts while there is no segment yet; there must be one of these."""
    spans = [(each.object.length_bytes, each.duration_micros) for each in window.segments]
    if not spans:
        parts = window.parts
        spans = [
            (
                sum(part.object.length_bytes for part in parts),
                sum(part.duration_micros for part in parts),
            )
        ]
    total_bytes, total_micros = (sum(column) for column in zip(*spans, strict=True))
    return Rate(
        max(_per_second(length, micros) for length, micros in spans),
        _per_second(total_bytes, total_micros),
    )


def multivariant_text(variants: Iterable[tuple[str, Opened, Rate, int]]) -> str:
    """Return the text for `(name, description, rate, pictures per 1000 s)` of each rendition."""
    lines = [
        "#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-STREAMRP2P-MULTIVARIANT",
    ]  # fmt: skip
    for name, opened, rate, frame_rate_millihertz in variants:
        whole, thousandths = divmod(frame_rate_millihertz, 1000)
        lines.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={rate.peak},AVERAGE-BANDWIDTH={rate.average},"
            f'CODECS="{opened.codecs}",RESOLUTION={opened.width}x{opened.height},'
            f"FRAME-RATE={whole}.{thousandths:03d}"
        )
        lines.append(playlist_name(name))
    return "".join(line + "\n" for line in lines)


def _per_second(length_bytes: int, micros: int) -> int:
    return -(-length_bytes * _BITS * MICROS // max(micros, 1))
