"""A real encoder run for tests and first steps: a moving test picture and a tone, pushed over RTMP or SRT."""

import subprocess
import time
from pathlib import Path

from streamrp2p.tether import tethered
from streamrp2p_origin import ffmpeg
from streamrp2p_origin.errors import OriginError, OriginSetupError, ServerRefusedError
from streamrp2p_origin.secret_file import read_secret

_OVERHEAD_SECONDS = 20.0
CONNECT_SECONDS = 5.0
"""How long a server that does not listen is tried again, as encoders do."""
_RETRY_SECONDS = 0.5
_REFUSED = b"Connection refused"
_SRT = "srt://"
AUDIO_KBIT = 128


def encoding_command(
    executable: str, url: str, *, seconds: float, video_kbit: int, key_frame_seconds: float
) -> list[str]:
    """Return ffmpeg's command line. Key frames come at exact distances, as OBS sends them with a fixed interval."""
    return [
        executable, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error",
        "-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30",
        "-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
        "-t", f"{seconds:g}", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
        "-profile:v", "baseline", "-pix_fmt", "yuv420p",
        # Filled up to the bit rate: the picture is simple, and a test wants the bytes that it asked for.
        "-b:v", f"{video_kbit}k", "-minrate", f"{video_kbit}k", "-maxrate", f"{video_kbit}k",
        "-bufsize", f"{video_kbit}k", "-x264-params", "nal-hrd=cbr",
        "-force_key_frames", f"expr:gte(t,n_forced*{key_frame_seconds:g})", "-sc_threshold", "0",
        "-c:a", "aac", "-b:a", f"{AUDIO_KBIT}k",
        *_container(url), url,
    ]  # fmt: skip


def _container(url: str) -> list[str]:
    if url.startswith(_SRT):
        return ["-f", "mpegts"]
    return ["-flvflags", "no_duration_filesize", "-f", "flv"]


def destination(rtmp: str | None, srt: str | None, key_file: Path | None) -> str:
    """Return the address to push to, with the stream key of `key_file` put where its protocol has it.

    Raises OriginSetupError when not exactly one address is given.
    """
    if (rtmp is None) == (srt is None):
        raise OriginSetupError("say where to push: either --rtmp or --srt")
    key = read_secret(key_file, "or name another file") if key_file is not None else None
    if rtmp is not None:
        return rtmp if key is None else f"{rtmp.rstrip('/')}/{key}"
    assert srt is not None  # noqa: S101 - the check above
    if not srt.startswith(_SRT):
        raise OriginSetupError("an SRT address begins with srt://")
    return srt if key is None else f"{srt}{'&' if '?' in srt else '?'}passphrase={key}"


def publish_test(
    url: str, *, seconds: float, video_kbit: int = 1000, key_frame_seconds: float = 1.0
) -> None:
    """Encode in real time and push to `url` for `seconds`; raises OriginError with ffmpeg's reason if it fails."""
    command = encoding_command(
        ffmpeg.executable(),
        url,
        seconds=seconds,
        video_kbit=video_kbit,
        key_frame_seconds=key_frame_seconds,
    )
    give_up_at = time.monotonic() + CONNECT_SECONDS
    run = _run(command, seconds)
    # The origin opens its port anew after each encoder.
    while _REFUSED in run.stderr and time.monotonic() < give_up_at:
        time.sleep(_RETRY_SECONDS)
        run = _run(command, seconds)
    if run.returncode != 0:
        # The address holds the stream key, and ffmpeg repeats it.
        reason = run.stderr.decode(errors="replace").replace(url, "the server").strip()
        raise ServerRefusedError(
            "the server did not take the stream; check that the origin runs, its port, "
            f"the stream key and the rest of the address: {reason[-500:]}"
        )


def _run(command: list[str], seconds: float) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            tethered(command),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=seconds + _OVERHEAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OriginError(
            "the test encoder could not keep up with real time: "
            "ask for fewer kbit/s, or free the machine"
        ) from None
