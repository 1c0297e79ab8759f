"""Running ffmpeg: segments as it finishes them, and its end explained. A shell script stands in for it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamrp2p_origin.errors import PackagingError
from streamrp2p_origin.packager import Packager, PackedSegment
from streamrp2p_origin.plan import Plan

PLAN = Plan("copy", "copy", "")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


async def run(folder: Path, script: str, source: int) -> Packager:
    executable = folder / "ffmpeg"
    executable.write_text(f"#!/bin/sh\n{script}\n")
    executable.chmod(0o755)
    return await Packager.start(str(executable), PLAN, 2.0, folder, source)


async def test_segments_come_as_ffmpeg_names_them_until_its_input_ends(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    script = (
        "echo 00000000.ts,0.000000,2.021333; touch $(dirname $0)/00000001.ts\n"
        "cat >/dev/null; echo 00000001.ts,2.021333,4.0"
    )
    packager = await run(tmp_path, script, pipe[0])
    segments = aiter(packager.segments())
    assert await anext(segments) == PackedSegment(tmp_path / "00000000.ts", 2_021_333)
    os.close(pipe[1])
    assert await anext(segments) == PackedSegment(tmp_path / "00000001.ts", 1_978_667)
    assert [each async for each in segments] == []
    await packager.wait()


async def test_full_disk_is_told_from_other_failures(tmp_path: Path, pipe: tuple[int, int]) -> None:
    os.close(pipe[1])
    script = "echo '[mpegts] av_write_frame(): No space left on device' >&2; exit 228"
    packager = await run(tmp_path, script, pipe[0])
    with pytest.raises(PackagingError, match="the disk is full; free some space") as caught:
        await packager.wait()
    assert caught.value.retryable


async def test_failure_says_the_exit_code_and_ffmpegs_last_words(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    os.close(pipe[1])
    script = "yes noise | head -c 9000 >&2; echo 'Invalid data found' >&2; exit 7"
    packager = await run(tmp_path, script, pipe[0])
    with pytest.raises(PackagingError) as caught:
        await packager.wait()
    assert "ffmpeg ended with exit code 7" in str(caught.value)
    assert str(caught.value).endswith("Invalid data found")
    assert len(str(caught.value)) < 5000


async def test_ffmpeg_that_does_not_end_is_killed(
    tmp_path: Path, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamrp2p_origin.packager.END_SECONDS", 0.2)
    os.close(pipe[1])
    packager = await run(tmp_path, "exec sleep 60", pipe[0])
    with pytest.raises(PackagingError, match="did not end and was killed"):
        await packager.wait()
    with pytest.raises(ProcessLookupError):
        os.kill(packager.pid, 0)
