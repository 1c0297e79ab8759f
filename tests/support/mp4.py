"""Small fragmented MP4 made by hand, as ffmpeg would write it: one track, a fragment for each sample."""

import struct

from streamrp2p_origin.boxes import box, full_box
from streamrp2p_origin.fragments import Sample
from streamrp2p_origin.movie import Track, read_movie

VIDEO_TIMESCALE = 90_000
AUDIO_TIMESCALE = 48_000
AVCC = box(b"avcC", bytes.fromhex("014d401fffe100000100"))
ESDS = full_box(
    b"esds", 0, 0, bytes.fromhex("038080802200020004808080144015000000000000000000000005808080021190060102")
)  # fmt: skip


def movie(entry: bytes, timescale: int) -> bytes:
    """Return the payload of a `moov`."""
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, timescale, 0, 0, 0))
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry)
    media = box(b"mdia", mdhd, box(b"minf", box(b"stbl", stsd)))
    header = full_box(b"tkhd", 0, 3, struct.pack(">IIII", 0, 0, 9, 0), bytes(64))
    trex = full_box(b"trex", 0, 0, struct.pack(">5I", 9, 1, 1024, 7, 0x02000000))
    return b"".join(
        (
            full_box(b"mvhd", 0, 0, struct.pack(">4I", 0, 0, 1000, 0), bytes(76), struct.pack(">I", 2)),
            box(b"trak", header, media),
            box(b"mvex", trex),
        )
    )  # fmt: skip


def avc1(width: int = 640, height: int = 360, configuration: bytes = AVCC) -> bytes:
    """Return a sample entry of H.264."""
    return box(b"avc1", bytes(24), struct.pack(">HH", width, height), bytes(50), configuration)


def mp4a(configuration: bytes = ESDS) -> bytes:
    """Return a sample entry of AAC."""
    return box(b"mp4a", bytes(28), configuration)


def video_track() -> Track:
    return read_movie(movie(avc1(), VIDEO_TIMESCALE))


def audio_track() -> Track:
    return read_movie(movie(mp4a(), AUDIO_TIMESCALE))


def picture(
    time: int, duration: int = 3000, *, key: bool = False, composition: int = 0, size: int = 10
) -> Sample:
    """Return a picture; times in ticks of 1/90000 s."""
    return Sample(time, duration, composition, key, bytes([time // 3000 % 251]) * size)


def sound(time: int) -> Sample:
    """Return a block of AAC; time in ticks of 1/48000 s."""
    return Sample(time, 1024, 0, True, b"aac")
