"""Encoded video of exact bit rates, to push at an origin without encoding meanwhile."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

FRAMES_PER_SECOND = 30
KEY_FRAME_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Film:
    """A moving test picture and a tone, in a file."""

    path: Path
    width: int
    height: int
    kbit: int

    @classmethod
    def make(cls, path: Path, width: int, height: int, kbit: int, *, seconds: int) -> "Film":
        """Encode it, with the bit rate filled up."""
        distance = str(KEY_FRAME_SECONDS * FRAMES_PER_SECOND)
        picture = f"testsrc2=size={width}x{height}:rate={FRAMES_PER_SECOND}"
        rate = f"{kbit}k"
        subprocess.run(
            [
                *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error"),
                *("-f", "lavfi", "-i", picture),
                *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"),
                *("-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"),
                *("-pix_fmt", "yuv420p", "-g", distance, "-keyint_min", distance),
                *("-sc_threshold", "0", "-b:v", rate, "-minrate", rate, "-maxrate", rate),
                *("-bufsize", rate, "-x264-params", "nal-hrd=cbr"),
                *("-c:a", "aac", "-b:a", "128k", "-f", "flv", str(path)),
            ],
            check=True,
        )
        return cls(path, width, height, kbit)

    @contextmanager
    def pushed(self, url: str) -> Iterator[None]:
        """Push it over RTMP, in real time and over again, until the block ends."""
        process = subprocess.Popen(self.command(url), stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait()

    def command(self, url: str) -> list[str]:
        """Return the command that pushes it over RTMP, in real time and over again."""
        return [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error"),
            *("-re", "-stream_loop", "-1", "-i", str(self.path)),
            *("-c", "copy", "-flvflags", "no_duration_filesize", "-f", "flv", url),
        ]
