"""A real encoder run for tests and first steps: a moving test picture and a tone, H.264 and AAC, pushed over RTMP."""

import subprocess
import time

from streamrp2p.tether import tethered
from streamrp2p_origin import ffmpeg
from streamrp2p_origin.errors import OriginError, RtmpServerError

_OVERHEAD_SECONDS = 20.0
CONNECT_SECONDS = 5.0
"""How long a server that does not listen is tried again, as encoders do."""
_RETRY_SECONDS = 0.5
_REFUSED = b"Connection refused"
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
        "-flvflags", "no_duration_filesize", "-f", "flv", url,
    ]  # fmt: skip


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
        # Elsewhere the address may hold a stream key, and ffmpeg repeats it.
        reason = run.stderr.decode(errors="replace").replace(url, "the RTMP server").strip()
        raise RtmpServerError(
            "the RTMP server did not take the stream; check that the origin runs, its port, "
            f"and the URL: {reason[-500:]}"
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
