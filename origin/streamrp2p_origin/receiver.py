"""The first ffmpeg of an encoder's visit: what comes in goes, unchanged, into a pipe."""

import asyncio
import contextlib
import os

from streamrp2p.tether import tethered
from streamrp2p_origin.errors import UnusableInputError
from streamrp2p_origin.inlet import Inlet
from streamrp2p_origin.name_check import NameCheck

PIPE_FORMAT = "nut"
"""Carries any codec through a pipe, with its timestamps."""
_DESCRIPTION_ENDS = "Stream mapping:"
_MOST_DESCRIPTION_BYTES = 65_536
"""An encoder's metadata is in ffmpeg's words on its stream; it may be long, but not endless."""


def receiving_command(executable: str, inlet: Inlet) -> list[str]:
    """Return ffmpeg's command line: the inlet's stream in, NUT on stdout, each packet at once."""
    return [
        # "repeat": a line that comes twice is written twice, since each is looked at.
        executable, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "repeat+info", *inlet.options,
        "-map", "0:v:0?", "-map", "0:a:0?", "-c:v", "copy", "-c:a", inlet.audio_codec, "-flush_packets", "1",
        "-f", PIPE_FORMAT, "pipe:1",
    ]  # fmt: skip


class Receiver:
    """Runs ffmpeg from `start` until the encoder leaves, `stop` or `close`. `output` is the read end of its pipe."""

    def __init__(self, process: asyncio.subprocess.Process, output: int) -> None:
        self._process = process
        self.output = output
        self._draining: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, executable: str, inlet: Inlet) -> "Receiver":
        """Start to listen, or to play from a server. Whoever starts a receiver must close it."""
        output, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *tethered(receiving_command(executable, inlet)),
                stdin=asyncio.subprocess.PIPE,
                stdout=writing,
                stderr=asyncio.subprocess.PIPE,
                limit=_MOST_DESCRIPTION_BYTES,
            )
        except BaseException:
            os.close(output)
            raise
        finally:
            os.close(writing)
        entrance = process.stdin
        assert entrance is not None  # noqa: S101 - a pipe was asked for
        entrance.write(inlet.playlist.encode())
        entrance.close()
        return cls(process, output)

    async def description(self, check: NameCheck | None = None) -> list[str] | None:
        """Wait for an encoder and return ffmpeg's words on its stream, or None when none published.

        Raises StreamKeyRefusedError as soon as `check` finds another name than the key, UnusableInputError when
        the words do not end.
        """
        messages = self._process.stderr
        assert messages is not None  # noqa: S101 - a pipe was asked for
        lines: list[str] = []
        left_bytes = _MOST_DESCRIPTION_BYTES
        try:
            while data := await messages.readline():
                line = data.decode(errors="replace").rstrip("\r\n")
                if check is not None:
                    check.see(line)
                if line.startswith(_DESCRIPTION_ENDS):
                    if check is not None:
                        check.conclude()
                    self._draining = asyncio.create_task(self._drain(messages))
                    return lines
                lines.append(line)
                left_bytes -= len(data)
                if left_bytes < 0:
                    raise ValueError(line)
        except ValueError:  # also from readline
            if check is not None:
                check.conclude()
            raise UnusableInputError("the encoder sends too much metadata: make it less") from None
        await self._process.wait()
        return None

    def stop(self) -> None:
        """End ffmpeg at once, if it runs: whoever reads `output` comes to its end."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def close(self) -> None:
        """Stop, and give everything back."""
        self.stop()
        os.close(self.output)
        await self._process.wait()
        if self._draining is not None:
            await self._draining

    @staticmethod
    async def _drain(messages: asyncio.StreamReader) -> None:
        """Read on, or ffmpeg would wait for a reader of its messages."""
        while await messages.read(4096):
            pass
