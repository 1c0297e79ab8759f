"""Where ffmpeg gets an encoder's stream from: its options, and its standard input; pure.

Every user of a machine can read the command lines of its processes, so an address that holds the stream key goes
to ffmpeg as a playlist of one entry (its concat demuxer) through a pipe.
"""

from dataclasses import dataclass, replace
from typing import Literal

SILENCE_SECONDS = 5.0
"""How long a peer may say nothing before it has begun to publish, and a server while it should send."""
_SILENCE_MICROS = f"{SILENCE_SECONDS * 1_000_000:.0f}"


@dataclass(frozen=True, slots=True)
class Inlet:
    """ffmpeg's input: `options` up to and with `-i`, and the playlist that it reads from its standard input.

    `audio_codec` is what its sound is piped on as: as it is, or as AAC.
    """

    options: tuple[str, ...]
    playlist: str = ""
    audio_codec: Literal["copy", "aac"] = "copy"


def rtmp_listener(host: str, port: int, placeholder: str) -> Inlet:
    """Listen for one RTMP encoder, whatever stream it names; `placeholder` is a name that no encoder can guess."""
    # Who connects and says nothing would keep every encoder out.
    options = ("-rw_timeout", _SILENCE_MICROS, "-listen", "1")
    return Inlet((*options, "-i", f"rtmp://{_bracketed(host)}:{port}/live/{placeholder}"))


def srt_listener(host: str, port: int, key: str) -> Inlet:
    """Listen for one SRT encoder whose passphrase is the stream key: libsrt refuses every other by itself."""
    url = f"srt://{_bracketed(host)}:{port}?mode=listener&passphrase={key}"
    # MPEG-TS describes its sound packet by packet, MP4 once and first: encoded anew, it has that description.
    return replace(_listed(url, "pipe,fd,srt,udp"), audio_codec="aac")


def rtmp_pull(server: str, key: str) -> Inlet:
    """Play what is published as `key` on an RTMP server; `server` is rtmp://HOST:PORT/APP."""
    return _listed(f"{server}/{key}", "pipe,fd,rtmp,tcp", f"option rw_timeout {_SILENCE_MICROS}\n")


def _listed(url: str, protocols: str, options: str = "") -> Inlet:
    return Inlet(
        ("-f", "concat", "-safe", "0", "-protocol_whitelist", protocols, "-i", "pipe:0"),
        f"ffconcat version 1.0\nfile '{url}'\n{options}",
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
