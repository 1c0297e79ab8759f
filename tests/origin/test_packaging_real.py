"""Real ffmpeg packages real media: every rendition decodes, and all are cut at the same pictures."""

import asyncio
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg
import pytest

from streamrp2p_origin.cutting import CutPart, SegmentEnd
from streamrp2p_origin.ladder import parse
from streamrp2p_origin.packager import Packager
from streamrp2p_origin.packaging import Packaging
from streamrp2p_origin.plan import plan_for
from streamrp2p_origin.thumbnails import thumbnail
from streamrp2p_origin.weaving import Opened

pytestmark = pytest.mark.integration

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SECONDS = 5
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-sc_threshold", "0")
REORDERED = (*X264, "-bf", "2", "-g", "60")


@dataclass
class Packed:
    """What came out for a rendition: its map, and for each segment its beginning in microseconds and its parts."""

    opened: Opened
    segments: list[tuple[int, list[CutPart]]] = field(default_factory=list)
    is_open: bool = False

    def media(self) -> bytes:
        parts = [part.data for _, parts in self.segments for part in parts]
        return self.opened.initialization + b"".join(parts)


def encoded(folder: Path, *codecs: str, rate: str = "30", container: str = "flv") -> list[str]:
    """Make a file as the receiver pipes it, and return ffmpeg's words on it."""
    sent, nut = str(folder / "sent"), str(folder / "source.nut")
    subprocess.run(
        [
            *(FFMPEG, "-v", "error", "-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={rate}"),
            *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100", "-t", str(SECONDS)),
            *(*codecs, "-c:a", "aac", "-f", container, sent),
        ],
        check=True,
    )
    # RTMP's timestamps are milliseconds, and so they are rounded.
    copy = subprocess.run(
        [FFMPEG, "-i", sent, "-c", "copy", "-f", "nut", nut],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return copy.stderr.split("Output")[0].splitlines()


async def packed(
    folder: Path, description: list[str], ladder: str, begin: float
) -> dict[str, Packed]:
    source = os.open(folder / "source.nut", os.O_RDONLY)
    renditions: dict[str, Packed] = {}
    try:
        plan = plan_for(description, parse(ladder))
        packager = await Packager.start(FFMPEG, plan, Packaging(), begin, source)
        try:
            async for output in packager.outputs():
                match output.event:
                    case Opened() as opened:
                        renditions[output.rendition] = Packed(opened)
                    case CutPart() as part:
                        rendition = renditions[output.rendition]
                        if not rendition.is_open:
                            rendition.segments.append((part.segment_start_micros, []))
                        rendition.is_open = True
                        rendition.segments[-1][1].append(part)
                    case SegmentEnd():
                        renditions[output.rendition].is_open = False
            await packager.wait()
        finally:
            await packager.kill()
    finally:
        os.close(source)
    return renditions


def decoded(folder: Path, media: bytes) -> tuple[int, float, float]:
    """Decode all; return the number of pictures, and the seconds at which picture and sound begin."""
    path = folder / "media.mp4"
    path.write_bytes(media)
    command = [
        *(FFMPEG, "-nostdin", "-v", "level+warning", "-copyts", "-i", path, "-progress", "pipe:1"),
        *("-map", "0:v", "-map", "0:a", "-f", "null", "-"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    begins = []
    for kind in ("v", "a"):
        show = [FFMPEG, "-v", "error", "-copyts", "-i", path, "-map", f"0:{kind}", "-c", "copy"]
        packets = subprocess.run(
            [*show, "-f", "framecrc", "-"], capture_output=True, text=True, check=True
        ).stdout
        base = re.search(r"#tb 0: (\d+)/(\d+)", packets)
        assert base is not None
        times = [int(line.split(",")[2]) for line in packets.splitlines() if line[0] != "#"]
        begins.append(min(times) * int(base[1]) / int(base[2]))
    return int(re.findall(r"^frame=(\d+)$", run.stdout, re.MULTILINE)[-1]), begins[0], begins[1]


@pytest.mark.parametrize("rate", ["30", "25", "30000/1001"])
async def test_copied_and_encoded_renditions_are_cut_alike_and_decode(
    tmp_path: Path, rate: str
) -> None:
    description = await asyncio.to_thread(encoded, tmp_path, *REORDERED, rate=rate)
    renditions = await packed(tmp_path, description, "source,120p:150,80p:100", 1234.5)
    assert list(renditions) == ["source", "120p", "80p"]
    source = renditions["source"]
    assert source.opened.codecs.startswith("avc1.")
    assert source.opened.codecs.endswith(",mp4a.40.2")
    sizes = [(each.opened.width, each.opened.height) for each in renditions.values()]
    assert sizes == [(320, 180), (214, 120), (142, 80)]
    begins = [begin for begin, _ in source.segments]
    assert len(begins) >= 3
    for name, rendition in renditions.items():
        assert [begin for begin, _ in rendition.segments] == begins, name
        shape = [len(parts) for _, parts in rendition.segments]
        assert shape == [len(parts) for _, parts in source.segments], name
        assert all(parts[0].is_independent for _, parts in rendition.segments)
        longest = max(part.duration_micros for _, parts in rendition.segments for part in parts)
        assert longest <= 545_000
        frames, picture, sound = await asyncio.to_thread(decoded, tmp_path, rendition.media())
        whole, _, parts_of_it = rate.partition("/")
        assert frames == int(SECONDS * int(whole) / int(parts_of_it or 1) + 0.999)
        assert 1234.4 < picture < 1234.7
        assert abs(sound - picture) < 0.03


async def test_every_segment_decodes_alone(tmp_path: Path) -> None:
    description = await asyncio.to_thread(encoded, tmp_path, *REORDERED)
    renditions = await packed(tmp_path, description, "source,120p:150", 10)
    for rendition in renditions.values():
        for begin, parts in rendition.segments:
            data = rendition.opened.initialization + b"".join(part.data for part in parts)
            frames, picture, _ = await asyncio.to_thread(decoded, tmp_path, data)
            assert frames == sum(part.pictures for part in parts)
            assert picture == pytest.approx(begin / 1e6, abs=0.001)


async def test_stream_from_srt_whose_sound_describes_itself_only_as_it_comes(
    tmp_path: Path,
) -> None:
    description = await asyncio.to_thread(encoded, tmp_path, *REORDERED, container="mpegts")
    renditions = await packed(tmp_path, description, "source,120p:150", 10)
    for rendition in renditions.values():
        assert rendition.opened.codecs.endswith(",mp4a.40.2")
        frames, picture, sound = await asyncio.to_thread(decoded, tmp_path, rendition.media())
        assert frames == SECONDS * 30
        assert abs(sound - picture) < 0.03


async def test_source_that_is_transcoded_has_key_frames_where_segments_begin(
    tmp_path: Path,
) -> None:
    description = await asyncio.to_thread(encoded, tmp_path, "-c:v", "flv1", "-g", "300")
    renditions = await packed(tmp_path, description, "source:300,120p:150", 3600.25)
    for rendition in renditions.values():
        begins = [begin for begin, _ in rendition.segments]
        assert [round(begin / 1e6 - begins[0] / 1e6, 1) for begin in begins] == [0, 2, 4]
        independent = [part.is_independent for _, parts in rendition.segments for part in parts]
        # None but the first of each segment: a key frame costs ten others.
        assert independent == [True, False, False, False, True, False, False, False, True, False]


async def test_thumbnail_is_a_small_jpeg_of_a_part(tmp_path: Path) -> None:
    description = await asyncio.to_thread(encoded, tmp_path, *REORDERED)
    source = (await packed(tmp_path, description, "source", 10))["source"]
    part = source.segments[1][1][0]
    picture = await thumbnail(FFMPEG, source.opened.initialization + part.data)
    assert picture is not None
    assert picture[:3] == b"\xff\xd8\xff"
    path = tmp_path / "thumbnail.jpg"
    path.write_bytes(picture)
    looked_at = await asyncio.to_thread(
        subprocess.run, [FFMPEG, "-i", path], capture_output=True, text=True, check=False
    )
    assert "160x90" in looked_at.stderr
    assert await thumbnail(FFMPEG, b"no media") is None
