"""An encoder whose picture says when each frame was made, so that a player's latency can be read off the screen.

The upper 64 lines of the 640x360 picture are 40 blocks of 32x32 pixels, black for 0 and white for 1, row by
row: the wall clock in milliseconds, 32 bits, and 8 check bits. Below, something moves.
Run as a module it pushes the picture, with a tone, over RTMP.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT, FRAMES_PER_SECOND = 640, 360, 30
BLOCK_PIXELS = 32
COLUMNS = WIDTH // BLOCK_PIXELS
CODE_LINES = 2 * BLOCK_PIXELS
TIME_BITS, CHECK_BITS = 32, 8
BLACK, WHITE = 16, 235
SPEED_PIXELS = 6

Plane = npt.NDArray[np.uint8]


def check_of(millis: int) -> int:
    """Return the check bits of a time: none of them is a bit of the time itself."""
    return (millis * 2_654_435_761 & 0xFFFFFFFF) >> (TIME_BITS - CHECK_BITS)


def bits_of(millis: int) -> list[int]:
    """Return the blocks' bits for a time in milliseconds, of which the lower 32 bits count."""
    low = millis & 0xFFFFFFFF
    word = low << CHECK_BITS | check_of(low)
    total = TIME_BITS + CHECK_BITS
    return [word >> (total - 1 - place) & 1 for place in range(total)]


def time_of(bits: Sequence[int]) -> int | None:
    """Return the lower 32 bits of the time that the blocks' bits say, or None if the check bits are others'."""
    word = 0
    for bit in bits:
        word = word << 1 | bit
    millis, check = word >> CHECK_BITS, word & ((1 << CHECK_BITS) - 1)
    return millis if check == check_of(millis) else None


def code_lines(millis: int) -> Plane:
    """Return the luma of the lines that bear the code, `CODE_LINES` x `WIDTH`."""
    bits = np.array(bits_of(millis), np.uint8).reshape(-1, COLUMNS)
    blocks = np.where(bits == 1, WHITE, BLACK).astype(np.uint8)
    return np.repeat(np.repeat(blocks, BLOCK_PIXELS, axis=0), BLOCK_PIXELS, axis=1)


class Picture:
    """Makes frames in yuv420p: the code above, slanted bars that move below, in colours that change slowly."""

    def __init__(self) -> None:
        columns = np.arange(2 * WIDTH) + np.arange(HEIGHT - CODE_LINES)[:, None]
        self._bars = (BLACK + (WHITE - BLACK) * (columns // 80 % 2 * 0.5 + 0.25)).astype(np.uint8)
        across, down = np.arange(WIDTH // 2), np.arange(HEIGHT // 2)
        self._blue = np.broadcast_to((96 + across * 64 // len(across)), (len(down), len(across)))
        self._red = np.broadcast_to((96 + down * 64 // len(down))[:, None], self._blue.shape)

    def frame(self, number: int, millis: int) -> bytes:
        """Return frame `number`, made at `millis`."""
        shift = number * SPEED_PIXELS % WIDTH
        luma = np.concatenate([code_lines(millis), self._bars[:, shift : shift + WIDTH]])
        chroma = (self._blue.astype(np.uint8), self._red.astype(np.uint8))
        return b"".join(plane.tobytes() for plane in (luma, *chroma))


def ffmpeg_command(url: str, video_kbit: int, container: str = "flv") -> list[str]:
    """Return the command that encodes raw frames from standard input and pushes them to a URL."""
    size, rate = f"{WIDTH}x{HEIGHT}", str(FRAMES_PER_SECOND)
    return [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error"),
        *("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size, "-r", rate, "-i", "pipe:0"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1"),
        *("-g", rate, "-keyint_min", rate, "-sc_threshold", "0"),
        *(
            "-b:v",
            f"{video_kbit}k",
            "-maxrate",
            f"{video_kbit}k",
            "-bufsize",
            f"{video_kbit // 2}k",
        ),
        *("-c:a", "aac", "-b:a", "64k", "-flush_packets", "1", "-shortest", "-f", container, url),
    ]


def push(url: str, *, seconds: float, video_kbit: int) -> int:
    """Encode and push for some seconds; returns ffmpeg's exit code.

    A late frame is sent at once, with the time at which it is made: the stream's time keeps up with the wall clock.
    """
    picture = Picture()
    ffmpeg = subprocess.Popen(ffmpeg_command(url, video_kbit), stdin=subprocess.PIPE)
    assert ffmpeg.stdin is not None
    begin = time.monotonic()
    try:
        for number in range(int(seconds * FRAMES_PER_SECOND)):
            time.sleep(max(0.0, begin + number / FRAMES_PER_SECOND - time.monotonic()))
            ffmpeg.stdin.write(picture.frame(number, time.time_ns() // 1_000_000))
            ffmpeg.stdin.flush()
        ffmpeg.stdin.close()
    except BrokenPipeError:
        pass
    finally:
        if sys.exc_info()[0] is not None:
            ffmpeg.terminate()
        ffmpeg.wait()
    return ffmpeg.returncode


def command(url: str, *, seconds: float, video_kbit: int = 500) -> list[str]:
    """Return the command line of an encoder process."""
    return [
        *(sys.executable, "-m", __name__, "--url", url),
        *("--seconds", str(seconds), "--video-kbit", str(video_kbit)),
    ]


def main() -> None:
    """Read the arguments and push."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--video-kbit", type=int, required=True)
    arguments = parser.parse_args()
    sys.exit(push(arguments.url, seconds=arguments.seconds, video_kbit=arguments.video_kbit))


if __name__ == "__main__":
    main()
