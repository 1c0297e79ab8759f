"""The clock in the test picture can be read again, and a spoiled one is not."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from tests.support.burnt_clock import (
    BLOCK_PIXELS,
    COLUMNS,
    HEIGHT,
    WIDTH,
    Picture,
    bits_of,
    ffmpeg_command,
    time_of,
)

MILLIS = 1_795_643_217_089


def read(luma: bytes) -> int | None:
    lines = np.frombuffer(luma, np.uint8)[: WIDTH * 2 * BLOCK_PIXELS].reshape(2, BLOCK_PIXELS, -1)
    middles = lines[:, BLOCK_PIXELS // 2, BLOCK_PIXELS // 2 :: BLOCK_PIXELS]
    return time_of([int(middle > 128) for middle in middles.flat])


def test_a_frame_says_when_it_was_made() -> None:
    frame = Picture().frame(7, MILLIS)

    assert len(frame) == WIDTH * HEIGHT * 3 // 2
    assert read(frame) == MILLIS % 2**32


def test_a_code_with_one_wrong_bit_says_nothing() -> None:
    for place in range(2 * COLUMNS):
        bits = bits_of(MILLIS)
        bits[place] ^= 1
        assert time_of(bits) is None


@pytest.mark.integration
def test_the_clock_survives_the_encoder() -> None:
    picture = Picture()
    times = [MILLIS + 33 * number for number in range(45)]
    encoded = subprocess.run(
        ffmpeg_command("pipe:1", 300, "mpegts"),
        input=b"".join(picture.frame(number, millis) for number, millis in enumerate(times)),
        capture_output=True,
        check=True,
    )
    decoder = [*(imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", "-", "-an")]
    raw = subprocess.run(
        [*decoder, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
        input=encoded.stdout,
        capture_output=True,
        check=True,
    ).stdout
    length = WIDTH * HEIGHT * 3 // 2

    found = [read(raw[start : start + length]) for start in range(0, len(raw), length)]

    assert found == [millis % 2**32 for millis in times]
