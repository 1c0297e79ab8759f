"""Running ffmpeg: what comes through its pipes, and its end explained. A shell script stands in for it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamrp2p_origin.boxes import box
from streamrp2p_origin.cutting import CutPart, SegmentEnd
from streamrp2p_origin.errors import PackagingError
from streamrp2p_origin.fragments import fragment
from streamrp2p_origin.packager import Packager
from streamrp2p_origin.packaging import Packaging
from streamrp2p_origin.plan import Plan, Rendition
from streamrp2p_origin.weaving import Opened
from tests.support.mp4 import VIDEO_TIMESCALE, avc1, movie, picture

PLAN = Plan((Rendition("source", None, None),), None, "")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


async def run(folder: Path, script: str, source: int) -> Packager:
    """Run a script whose descriptor 9 is the source's pipe."""
    executable = folder / "ffmpeg"
    find = 'for word in "$@"; do case $word in pipe:0) ;; pipe:*) pipe=${word#pipe:};; esac; done'
    executable.write_text(f"#!/bin/bash\n{find}\neval exec '9>&'$pipe\n{script}\n")
    executable.chmod(0o755)
    return await Packager.start(str(executable), PLAN, Packaging(), 10.0, source)


async def test_parts_come_as_soon_as_they_are_whole_and_the_rest_when_ffmpeg_ends(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    pictures = [picture(number * 3000, key=number == 0) for number in range(20)]
    begin = box(b"ftyp", b"x") + box(b"moov", movie(avc1(), VIDEO_TIMESCALE))
    (tmp_path / "first").write_bytes(
        begin + b"".join(fragment(1, [[each]]) for each in pictures[:15])
    )
    (tmp_path / "rest").write_bytes(b"".join(fragment(1, [[each]]) for each in pictures[15:]))
    script = f"cat {tmp_path}/first >&9; cat >/dev/null; cat {tmp_path}/rest >&9"
    packager = await run(tmp_path, script, pipe[0])
    outputs = aiter(packager.outputs())
    assert isinstance((await anext(outputs)).event, Opened)
    first = (await anext(outputs)).event
    assert isinstance(first, CutPart)
    assert first.duration_micros == 500_000
    os.close(pipe[1])
    assert [type(each.event) async for each in outputs] == [CutPart, SegmentEnd]
    await packager.wait()
    await packager.kill()


async def test_media_that_is_none_ends_the_visit(tmp_path: Path, pipe: tuple[int, int]) -> None:
    os.close(pipe[1])
    packager = await run(tmp_path, "printf '\\0\\0\\0\\0mdat' >&9; exec sleep 60", pipe[0])
    with pytest.raises(PackagingError, match="a box says that it has 0 bytes"):
        _ = [each async for each in packager.outputs()]
    await packager.kill()


async def test_ffmpeg_that_says_nothing_is_explained_all_the_same(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    os.close(pipe[1])
    packager = await run(tmp_path, "exit 3", pipe[0])
    assert [each async for each in packager.outputs()] == []
    with pytest.raises(PackagingError, match="exit code 3: it said nothing"):
        await packager.wait()
    await packager.kill()


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
    await packager.kill()


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
    await packager.kill()
