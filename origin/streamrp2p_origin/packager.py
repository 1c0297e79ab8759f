"""The second ffmpeg of a visit: reads what the receiver pipes, writes finished MPEG-TS segments."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from streamrp2p.tether import tethered
from streamrp2p_origin.errors import PackagingError
from streamrp2p_origin.plan import Plan
from streamrp2p_origin.receiver import PIPE_FORMAT

END_SECONDS = 10.0
"""How long ffmpeg may take for its last segment once the encoder is gone."""
_TAIL_BYTES = 2048
"""Of ffmpeg's messages, kept for the error that explains its end."""
_POLL_SECONDS = 0.005
SEGMENT_PATTERN = "%08d.ts"
_DISK_FULL = "No space left on device"


@dataclass(frozen=True, slots=True)
class PackedSegment:
    """A segment that ffmpeg has finished: a file, and its duration in microseconds."""

    path: Path
    duration_micros: int


def packaging_command(
    executable: str, plan: Plan, segment_seconds: float, folder: Path
) -> list[str]:
    """Return ffmpeg's command line: NUT on stdin, segments into `folder`, one CSV line on stdout for each."""
    transcode_video = [
        "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p",
        "-sc_threshold", "0", "-force_key_frames", f"expr:gte(t,n_forced*{segment_seconds:g})",
    ]  # fmt: skip
    transcode_audio = ["-c:a", "aac", "-b:a", "128k", "-ac", "2"]
    return [
        executable, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning",
        "-f", PIPE_FORMAT, "-i", "pipe:0", "-map", "0:v:0", "-map", "0:a:0?",
        *(["-c:v", "copy"] if plan.video == "copy" else transcode_video),
        *(transcode_audio if plan.audio == "transcode" else ["-c:a", "copy"]),
        "-f", "segment", "-segment_format", "mpegts", "-individual_header_trailer", "0",
        # Timestamps are rounded to milliseconds, so a key frame may come a little before its due.
        "-segment_time", f"{segment_seconds:g}", "-segment_time_delta", "0.05",
        "-segment_list", "pipe:1", "-segment_list_type", "csv", str(folder / SEGMENT_PATTERN),
    ]  # fmt: skip


def segment_name(number: int) -> str:
    """Return the file name that ffmpeg gives to a visit's segment."""
    return SEGMENT_PATTERN % number


class Packager:
    """Runs ffmpeg from `start` until its input ends or `kill`."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._tail = b""
        self._reading = asyncio.create_task(self._read_messages())

    @classmethod
    async def start(
        cls, executable: str, plan: Plan, segment_seconds: float, folder: Path, source: int
    ) -> "Packager":
        """Start ffmpeg; `folder` must exist and be empty, `source` is the read end of the receiver's pipe."""
        process = await asyncio.create_subprocess_exec(
            *tethered(packaging_command(executable, plan, segment_seconds, folder)),
            stdin=source,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return cls(process, folder)

    @property
    def pid(self) -> int:
        """Ffmpeg's process id."""
        return self._process.pid

    async def segments(self) -> AsyncIterator[PackedSegment]:
        """Yield each segment once ffmpeg has closed its file, until ffmpeg ends."""
        output = self._process.stdout
        assert output is not None  # noqa: S101 - a pipe was asked for
        while line := (await output.readline()).decode().strip():
            name, start, end = line.rsplit(",", 2)
            await self._until_closed(int(Path(name).stem))
            duration = round((float(end) - float(start)) * 1_000_000)
            yield PackedSegment(self._folder / Path(name).name, duration)

    async def _until_closed(self, number: int) -> None:
        """Wait: ffmpeg names a segment before it writes its last bytes, closes it, then opens the next or ends."""
        following = self._folder / segment_name(number + 1)
        while not following.exists() and self._process.returncode is None:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(_POLL_SECONDS)

    async def wait(self) -> None:
        """Wait for the end of ffmpeg; raises PackagingError when it failed or hung."""
        try:
            async with asyncio.timeout(END_SECONDS):
                code = await self._process.wait()
        except TimeoutError:
            await self.kill()
            raise PackagingError("ffmpeg did not end and was killed") from None
        await self._reading
        if code != 0:
            raise self._failure(code)

    async def kill(self) -> None:
        """Stop ffmpeg at once, if it runs."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read_messages(self) -> None:
        messages = self._process.stderr
        assert messages is not None  # noqa: S101 - a pipe was asked for
        while data := await messages.read(_TAIL_BYTES):
            self._tail = (self._tail + data)[-_TAIL_BYTES:]

    def _failure(self, code: int) -> PackagingError:
        lines = self._tail.decode(errors="replace").split("\n")
        messages = " | ".join(line.strip() for line in lines if line.strip()) or "it said nothing"
        if _DISK_FULL in messages:
            return PackagingError(
                f"ffmpeg could not write to {self._folder}: the disk is full; free some space"
            )
        return PackagingError(f"ffmpeg ended with exit code {code}: {messages}")
