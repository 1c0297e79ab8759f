"""The second ffmpeg of a visit: reads what the receiver pipes, writes every rendition into a pipe of its own.

Each pipe carries fragmented MP4 of one track, a fragment for each picture; the sound comes once, for all renditions.
So ffmpeg holds nothing back, and `cutting` decides where the parts end.
"""

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from io import FileIO

from streamrp2p.tether import tethered
from streamrp2p_origin.errors import PackagingError
from streamrp2p_origin.fragments import Sample
from streamrp2p_origin.movie import Track
from streamrp2p_origin.packaging import Packaging
from streamrp2p_origin.plan import Plan, Rendition
from streamrp2p_origin.receiver import PIPE_FORMAT
from streamrp2p_origin.track_reader import TrackReader
from streamrp2p_origin.weaving import Output, Weaver

END_SECONDS = 10.0
"""How long ffmpeg may take for its last pictures once the encoder is gone."""
_TAIL_BYTES = 2048
"""Of ffmpeg's messages, kept for the error that explains its end."""
_READ_BYTES = 65536
_QUEUED_OUTPUTS = 16
"""Then ffmpeg waits."""
_TIMESCALE = 90_000
"""Ticks per second of every picture track, so that the same time is the same number in all renditions."""


def packaging_command(
    executable: str, plan: Plan, segment_seconds: float, begin_seconds: float, video_pipes: list[int],
    audio_pipe: int,
) -> list[str]:  # fmt: skip
    """Return ffmpeg's command line: NUT on stdin, a pipe for each rendition and one for the sound, if there is any.

    Timestamps begin at `begin_seconds`, or a little before that, where decoding begins earlier than showing.
    """
    # Timestamps are rounded to milliseconds.
    due = f"prev_forced_t+{segment_seconds - 0.001:g}"
    regular = f"expr:if(isnan(prev_forced_t),1,gte(t,{due}))"
    key_frames = "source" if plan.video == "copy" else regular
    command = [
        executable, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning",
        # Frame threads would each hold a picture back, probing the first seconds.
        "-threads", "1", "-probesize", "65536", "-analyzeduration", "0",
        # Not left to the outputs, of which each would move itself to 0.
        "-itsoffset", f"{begin_seconds:.3f}", "-f", PIPE_FORMAT, "-i", "pipe:0",
    ]  # fmt: skip
    for rendition, pipe in zip(plan.renditions, video_pipes, strict=True):
        codec = ["-c:v", "copy"] if rendition.is_copy else _encoding(rendition, key_frames)
        command += ["-map", "0:v:0", *codec, "-video_track_timescale", f"{_TIMESCALE}"]
        command += _fragments_to(pipe)
    if plan.audio is not None:
        transcode = ["-c:a", "aac", "-b:a", "128k", "-ac", "2"]
        codec = transcode if plan.audio == "transcode" else ["-c:a", "copy"]
        command += ["-map", "0:a:0", *codec]
        command += _fragments_to(audio_pipe)
    return command


def _encoding(rendition: Rendition, key_frames: str) -> list[str]:
    return [
        "-vf", f"scale=-2:{rendition.height}", "-c:v", "libx264", "-preset", "veryfast",
        "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-b:v", f"{rendition.kbit}k",
        "-maxrate", f"{rendition.kbit}k", "-bufsize", f"{rendition.kbit}k",
        # Key frames where the others have theirs, and nowhere else; every picture at its own time.
        "-force_key_frames", key_frames, "-sc_threshold", "0", "-g", "100000",
        "-fps_mode", "passthrough", "-enc_time_base", "demux",
    ]  # fmt: skip


def _fragments_to(pipe: int) -> list[str]:
    return [
        "-avoid_negative_ts", "disabled", "-use_editlist", "0", "-flush_packets", "1",
        "-movflags", "frag_every_frame+empty_moov+default_base_moof+frag_discont+skip_trailer+skip_sidx",
        "-f", "mp4", f"pipe:{pipe}",
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Pipe:
    """The read end of one of ffmpeg's outputs."""

    reader: asyncio.StreamReader
    transport: asyncio.ReadTransport


class Packager:
    """Runs ffmpeg from `start` until its input ends or `kill`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        plan: Plan,
        settings: Packaging,
        pipes: list[_Pipe],
    ) -> None:
        self._process = process
        self._plan = plan
        self._settings = settings
        self._pipes = pipes
        self._queue: asyncio.Queue[Output | None] = asyncio.Queue(_QUEUED_OUTPUTS)
        self._tail = b""
        self._messages = asyncio.create_task(self._read_messages())
        self._weaving = asyncio.create_task(self._weave())

    @classmethod
    async def start(
        cls, executable: str, plan: Plan, settings: Packaging, begin_seconds: float, source: int
    ) -> "Packager":
        """Start ffmpeg; `source` is the receiver's pipe's read end, timestamps begin at `begin_seconds`."""
        with contextlib.ExitStack() as open_ends:
            reading, writing = [], []
            for _ in (*plan.renditions, "audio"):
                ends = os.pipe()
                reading.append(open_ends.enter_context(os.fdopen(ends[0], "rb", buffering=0)))
                writing.append(open_ends.enter_context(os.fdopen(ends[1], "wb", buffering=0)))
            *video_pipes, audio_pipe = (end.fileno() for end in writing)
            command = packaging_command(
                executable, plan, settings.segment_seconds, begin_seconds, video_pipes, audio_pipe
            )
            process = await asyncio.create_subprocess_exec(
                *tethered(command),
                stdin=source,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=[*video_pipes, audio_pipe],
            )
            for end in writing:
                end.close()
            pipes = [await _connected(end) for end in reading]
            # From here on the event loop's transports close them.
            open_ends.pop_all()
        return cls(process, plan, settings, pipes)

    @property
    def pid(self) -> int:
        """Ffmpeg's process id."""
        return self._process.pid

    async def outputs(self) -> AsyncIterator[Output]:
        """Yield what happens in the renditions until ffmpeg ends. Raises PackagingError for media that is not sound."""
        while (output := await self._queue.get()) is not None:
            yield output
        await self._weaving

    async def wait(self) -> None:
        """Wait for the end of ffmpeg; raises PackagingError when it failed or hung."""
        try:
            async with asyncio.timeout(END_SECONDS):
                code = await self._process.wait()
        except TimeoutError:
            await self.kill()
            raise PackagingError("ffmpeg did not end and was killed") from None
        await self._messages
        if code != 0:
            raise self._failure(code)

    async def kill(self) -> None:
        """Stop ffmpeg at once, if it runs."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._messages
        self._weaving.cancel()
        for pipe in self._pipes:
            pipe.transport.close()

    async def _weave(self) -> None:
        names = [rendition.name for rendition in self._plan.renditions]
        weaver = Weaver(
            names,
            self._settings.segment_seconds,
            self._settings.part_seconds,
            has_audio=self._plan.audio is not None,
        )
        *pictures, sound = self._pipes
        fault: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as reading:
                reading.create_task(self._read(sound, weaver.add_sound))
                for pipe, name in zip(pictures, names, strict=True):
                    take = functools.partial(weaver.add_picture, name)
                    reading.create_task(self._read(pipe, take))
            await self._put(weaver.end())
        except* PackagingError as errors:
            # Raised below: Python 3.11.2 makes a group of what is raised here.
            fault = errors.exceptions[0]
        finally:
            await self._queue.put(None)
        if fault is not None:
            raise fault

    async def _read(self, pipe: _Pipe, take: Callable[[Track | Sample], list[Output]]) -> None:
        reader = TrackReader()
        while data := await pipe.reader.read(_READ_BYTES):
            for item in reader.feed(data):
                await self._put(take(item))

    async def _put(self, outputs: list[Output]) -> None:
        for output in outputs:
            await self._queue.put(output)

    async def _read_messages(self) -> None:
        messages = self._process.stderr
        assert messages is not None  # noqa: S101 - a pipe was asked for
        while data := await messages.read(_TAIL_BYTES):
            self._tail = (self._tail + data)[-_TAIL_BYTES:]

    def _failure(self, code: int) -> PackagingError:
        lines = self._tail.decode(errors="replace").split("\n")
        messages = " | ".join(line.strip() for line in lines if line.strip()) or "it said nothing"
        return PackagingError(f"ffmpeg ended with exit code {code}: {messages}")


async def _connected(end: FileIO) -> _Pipe:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), end
    )
    return _Pipe(reader, transport)
