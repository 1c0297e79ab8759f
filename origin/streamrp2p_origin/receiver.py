"""ffmpeg as the RTMP server of one encoder's visit: what comes in goes, unchanged, into a pipe."""

import asyncio
import contextlib

from streamrp2p.tether import tethered
from streamrp2p_origin.errors import PortTakenError

PIPE_FORMAT = "nut"
"""Carries any codec through a pipe, with its timestamps."""
SILENCE_SECONDS = 5.0
"""How long a peer may say nothing before it has begun to publish."""
_DESCRIPTION_ENDS = "Stream mapping:"
_PORT_TAKEN = "Address already in use"


def receiving_command(executable: str, host: str, port: int) -> list[str]:
    """Return ffmpeg's command line: one encoder over RTMP in, NUT on stdout.

    ffmpeg only warns when an encoder names another stream than the URL, so a secret in it would protect nothing: the
    interface that the port is bound to does.
    """
    return [
        executable, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info",
        # Who connects and says nothing would keep every encoder out.
        "-rw_timeout", f"{SILENCE_SECONDS * 1_000_000:.0f}",
        "-listen", "1", "-i", f"rtmp://{host}:{port}/live/stream",
        "-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy", "-f", PIPE_FORMAT, "pipe:1",
    ]  # fmt: skip


class Receiver:
    """Runs ffmpeg from `listen` until the encoder leaves or `kill`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._draining: asyncio.Task[None] | None = None

    @classmethod
    async def listen(cls, executable: str, host: str, port: int, output: int) -> "Receiver":
        """Start to listen; `output` is the write end of a pipe, a file descriptor."""
        process = await asyncio.create_subprocess_exec(
            *tethered(receiving_command(executable, host, port)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.PIPE,
        )
        return cls(process)

    async def description(self) -> list[str] | None:
        """Wait for an encoder and return ffmpeg's words on its stream, or None when none published.

        Raises PortTakenError when another program listens there.
        """
        messages = self._process.stderr
        assert messages is not None  # noqa: S101 - a pipe was asked for
        lines: list[str] = []
        while data := await messages.readline():
            line = data.decode(errors="replace").rstrip()
            if _PORT_TAKEN in line:
                raise PortTakenError(
                    "another program took the RTMP port: stop it, or choose another with --rtmp-port"
                )
            if line.startswith(_DESCRIPTION_ENDS):
                self._draining = asyncio.create_task(self._drain())
                return lines
            lines.append(line)
        await self._process.wait()
        return None

    async def kill(self) -> None:
        """Stop ffmpeg at once, if it runs."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        if self._draining is not None:
            await self._draining

    async def _drain(self) -> None:
        """Read on, or ffmpeg would wait for a reader of its messages."""
        messages = self._process.stderr
        assert messages is not None  # noqa: S101 - a pipe was asked for
        while await messages.read(4096):
            pass
