"""An encoder whose picture flashes and whose sound beeps at the same instant, once a second."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import imageio_ffmpeg

PERIOD_SECONDS = 1.0
EVENT_SECONDS = 0.1
WIDTH, HEIGHT, FRAMES_PER_SECOND = 320, 180, 30
SAMPLES_PER_SECOND = 48_000
KEY_FRAME_SECONDS = 2
_ON = f"lt(mod(t+{PERIOD_SECONDS / 2},{PERIOD_SECONDS}),{EVENT_SECONDS})"
"""In the middle of a second: a segment that begins with a second has both halves of the event."""


def source_command(url: str, seconds: float) -> list[str]:
    """Return the command of an encoder that pushes in real time, as lightly as can be."""
    picture = (
        f"color=black:size={WIDTH}x{HEIGHT}:rate={FRAMES_PER_SECOND},"
        f"drawbox=color=white:thickness=fill:enable='{_ON}'"
    )
    sound = f"aevalsrc='if({_ON},0.8*sin(2*PI*1000*t),0)':sample_rate={SAMPLES_PER_SECOND}"
    return [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-nostats", "-loglevel", "error"),
        *("-re", "-f", "lavfi", "-i", picture, "-re", "-f", "lavfi", "-i", sound),
        *("-t", f"{seconds:g}", "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1"),
        *("-bf", "0", "-pix_fmt", "yuv420p", "-sc_threshold", "0"),
        *("-g", str(KEY_FRAME_SECONDS * FRAMES_PER_SECOND)),
        *("-c:a", "aac", "-b:a", "64k", "-flvflags", "no_duration_filesize", "-f", "flv", url),
    ]


@contextmanager
def pushing(url: str, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Push to a URL until the block ends."""
    process = subprocess.Popen(
        source_command(url, seconds), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
