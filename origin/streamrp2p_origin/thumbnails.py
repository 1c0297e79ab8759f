"""Small pictures of the stream, a JPEG every ten seconds, which players show while a viewer looks for a place."""

import asyncio
import contextlib

import structlog

from streamrp2p.tether import tethered

_log = structlog.get_logger()

INTERVAL_SECONDS = 10.0
HEIGHT = 90
MAX_THUMBNAIL_BYTES = 64 * 1024
_TIMEOUT_SECONDS = 10.0


def thumbnail_command(executable: str) -> list[str]:
    """Return ffmpeg's command line: a fragment of MP4 on stdin, its first picture as JPEG on stdout."""
    return [
        executable, "-hide_banner", "-nostdin", "-loglevel", "error", "-threads", "1",
        "-skip_frame", "nokey", "-f", "mp4", "-i", "pipe:0", "-map", "0:v:0", "-frames:v", "1",
        "-vf", f"scale=-2:{HEIGHT}", "-c:v", "mjpeg", "-q:v", "7", "-f", "image2pipe", "pipe:1",
    ]  # fmt: skip


async def thumbnail(executable: str, media: bytes) -> bytes | None:
    """Return the first picture of a map and a part that begins with a key frame; None, and a log line, if it fails."""
    process = await asyncio.create_subprocess_exec(
        *tethered(thumbnail_command(executable)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            picture, messages = await process.communicate(media)
    except TimeoutError:
        picture, messages = b"", b"it took too long"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode == 0 and 0 < len(picture) <= MAX_THUMBNAIL_BYTES:
        return picture
    _log.warning("thumbnail_failed", reason=messages.decode(errors="replace").strip()[-300:])
    return None
