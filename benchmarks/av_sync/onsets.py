"""When do flashes and beeps begin in a piece of media? Decoded by ffmpeg, which writes a line per picture and block."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import imageio_ffmpeg

BRIGHT = 128.0
"""Mean luma above which a picture is part of a flash."""
LOUD_DECIBELS = -30.0
BLOCK_SAMPLES = 96
"""Of sound that are looked at together: two milliseconds."""

_LINE = re.compile(r"pts_time:(-?[0-9.]+)\n[^=]*=(-?[0-9.]+|-?inf|nan)\n")


def onsets(values: list[tuple[float, float]], threshold: float) -> list[float]:
    """Return the times at which `(time, value)` rises above the threshold; a piece that begins above it does not."""
    return [time for (_, before), (time, value) in pairwise(values) if before <= threshold < value]


def offsets(flashes: list[float], beeps: list[float], period_seconds: float) -> list[float]:
    """Return, for each flash, how much later the nearest beep begins, in seconds; none within half a period: none."""
    nearest = [min(beeps, key=lambda beep: abs(beep - flash), default=None) for flash in flashes]
    return [
        beep - flash
        for flash, beep in zip(flashes, nearest, strict=True)
        if beep is not None and abs(beep - flash) < period_seconds / 2
    ]


def read_events(media: bytes) -> tuple[list[float], list[float]]:
    """Decode media, a map and segments behind it; return when flashes and when beeps begin, in its own seconds."""
    with tempfile.TemporaryDirectory(prefix="av-sync-") as folder:
        picture, sound = Path(folder) / "picture", Path(folder) / "sound"
        look = f"scale=16:8,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file={picture}"
        listen = (
            f"asetnsamples={BLOCK_SAMPLES},"
            "astats=metadata=1:reset=1:measure_perchannel=0:measure_overall=RMS_level,"
            f"ametadata=print:key=lavfi.astats.Overall.RMS_level:file={sound}"
        )
        command = [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-copyts"),
            *("-threads", "1", "-f", "mp4", "-i", "pipe:0"),
            *("-map", "0:v", "-vf", look, "-f", "null", "-"),
            *("-map", "0:a", "-af", listen, "-f", "null", "-"),
        ]
        subprocess.run(command, input=media, check=True)
        return (
            onsets(list(_values(picture)), BRIGHT),
            onsets(list(_values(sound)), LOUD_DECIBELS),
        )


def _values(path: Path) -> Iterator[tuple[float, float]]:
    for match in _LINE.finditer(path.read_text()):
        yield float(match[1]), float(match[2])
