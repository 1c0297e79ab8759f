"""What RTMP's media messages hold, and what ffmpeg reads from a pipe; source: FLV 10.1 annex E, Enhanced RTMP 1."""

from streamrp2p_origin.rtmp.session import AUDIO, VIDEO, MediaTag

H264, AAC = "H.264", "AAC"

_VIDEO_CODECS = {
    2: "Sorenson H.263",
    4: "VP6",
    5: "VP6 with alpha",
    7: H264,
    12: "HEVC",
}
_AUDIO_CODECS = {2: "MP3", 10: AAC, 11: "Speex", 14: "MP3 8 kHz"}
_FOUR_CC = {
    b"avc1": H264,
    b"hvc1": "HEVC",
    b"av01": "AV1",
    b"vp08": "VP8",
    b"vp09": "VP9",
    b"mp4a": AAC,
    b"Opus": "Opus",
    b".mp3": "MP3",
    b"ac-3": "AC-3",
    b"ec-3": "E-AC-3",
    b"fLaC": "FLAC",
}
_EXTENDED_AUDIO = 9
_KEY_FRAME = 1
_BROWSER_PROFILES = {66, 77, 88, 100}
"""Baseline, Main, Extended and High: 8 bits, 4:2:0, which every browser decodes."""


def header(*, has_video: bool, has_audio: bool) -> bytes:
    """Return the bytes that begin a file."""
    return b"FLV\x01" + bytes([has_audio << 2 | has_video]) + (9).to_bytes(4) + bytes(4)


def encode(tag: MediaTag) -> bytes:
    """Return the tag as it stands in a file."""
    time = tag.timestamp_ms % (1 << 32)
    head = (
        bytes([tag.kind])
        + len(tag.payload).to_bytes(3)
        + (time & 0xFFFFFF).to_bytes(3)
        + bytes([time >> 24])
        + bytes(3)
    )
    return head + tag.payload + (len(head) + len(tag.payload)).to_bytes(4)


def codec(tag: MediaTag) -> str | None:
    """Name the tag's codec, or return None for one that this origin cannot read."""
    if not tag.payload:
        return None
    first, four_cc = tag.payload[0], tag.payload[1:5]
    if tag.kind == VIDEO:
        return _FOUR_CC.get(four_cc) if first & 0x80 else _VIDEO_CODECS.get(first & 0x0F)
    is_extended = first >> 4 == _EXTENDED_AUDIO
    return _FOUR_CC.get(four_cc) if is_extended else _AUDIO_CODECS.get(first >> 4)


def is_codec_header(tag: MediaTag) -> bool:
    """Tell whether the tag sets its decoder up and holds no frame."""
    if not tag.payload:
        return True
    first = tag.payload[0]
    if tag.kind == AUDIO:
        return first >> 4 == 10 and tag.payload[1:2] == b"\x00"  # noqa: PLR2004 - AAC's number
    if first & 0x80:
        return first & 0x0F in (0, 4)
    return first & 0x0F in (7, 12) and tag.payload[1:2] != b"\x01"


def is_key_frame(tag: MediaTag) -> bool:
    """Tell whether a player can begin with this frame."""
    return (
        tag.kind == VIDEO
        and bool(tag.payload)
        and (tag.payload[0] >> 4) & 0x07 == _KEY_FRAME
        and not is_codec_header(tag)
    )


def plays_in_browsers(codec_header: MediaTag) -> bool:
    """Tell from H.264's codec header (ISO 14496-15, 5.3.3.1) whether its profile is one that every browser decodes."""
    at = 5
    return codec_header.payload[at + 1 : at + 2] in [bytes([known]) for known in _BROWSER_PROFILES]
