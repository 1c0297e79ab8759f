"""Samples out of fragments (`moof` and `mdat`) and into them, and the header that goes before. Pure.

Layouts: ISO/IEC 14496-12 section 8.8 (tfhd, tfdt, trun).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from streamrp2p_origin.boxes import Box, Fields, box, child, full_box
from streamrp2p_origin.errors import MalformedMediaError
from streamrp2p_origin.movie import Track

MAX_SAMPLES = 4096
"""In one fragment; more than half a minute of sound."""

_BASE_OFFSET, _DESCRIPTION, _DURATION, _SIZE, _FLAGS = 0x1, 0x2, 0x8, 0x10, 0x20
"""Which fields a `tfhd` has."""
_OFFSET, _FIRST_FLAGS, _EACH_DURATION, _EACH_SIZE, _EACH_FLAGS, _EACH_COMPOSITION = (
    0x1, 0x4, 0x100, 0x200, 0x400, 0x800,
)  # fmt: skip
"""Which fields a `trun` has."""
_BASE_IS_MOOF = 0x020000
_IS_NO_KEY = 0x010000
_KEY_FLAGS, _OTHER_FLAGS = 0x02000000, 0x01010000
"""Of a sample: it depends on no other; or on others, and is no place to begin."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture or a block of sound. Times are ticks of its track; `composition` is display minus decoding time."""

    decode_time: int
    duration: int
    composition: int
    is_key: bool
    data: bytes

    @property
    def display_time(self) -> int:
        """When it is shown."""
        return self.decode_time + self.composition

    @property
    def decode_end(self) -> int:
        """When the next is decoded."""
        return self.decode_time + self.duration


def read_samples(track: Track, moof: Box, mdat: Box) -> list[Sample]:
    """Read the samples of a fragment with one run. Raises MalformedMediaError."""
    traf = child(moof.payload, b"traf")
    head = Fields(child(traf, b"tfhd"))
    _, has = head.version_and_flags()
    head.take(4)
    if has & _BASE_OFFSET:
        raise MalformedMediaError("a fragment counts its offsets from the beginning of a file")
    if has & _DESCRIPTION:
        head.take(4)
    duration = head.unsigned(4) if has & _DURATION else track.defaults.duration
    size = head.unsigned(4) if has & _SIZE else track.defaults.size
    flags = head.unsigned(4) if has & _FLAGS else track.defaults.flags
    time = Fields(child(traf, b"tfdt"))
    version, _ = time.version_and_flags()
    decode_time = time.unsigned(8 if version else 4)

    run = Fields(child(traf, b"trun"))
    version, has = run.version_and_flags()
    count = run.unsigned(4)
    if count > MAX_SAMPLES:
        raise MalformedMediaError(f"a fragment has {count} samples, {MAX_SAMPLES} are taken")
    offset = run.signed(4) if has & _OFFSET else moof.length_bytes + mdat.header_bytes
    at = offset - moof.length_bytes - mdat.header_bytes
    first_flags = run.unsigned(4) if has & _FIRST_FLAGS else flags
    samples = []
    for number in range(count):
        own_duration = run.unsigned(4) if has & _EACH_DURATION else duration
        own_size = run.unsigned(4) if has & _EACH_SIZE else size
        own_flags = run.unsigned(4) if has & _EACH_FLAGS else flags if number else first_flags
        composition = 0
        if has & _EACH_COMPOSITION:
            composition = run.signed(4) if version else run.unsigned(4)
        if not 0 <= at <= at + own_size <= len(mdat.payload):
            raise MalformedMediaError("a sample lies outside of its fragment")
        data = mdat.payload[at : at + own_size]
        is_key = not own_flags & _IS_NO_KEY
        samples.append(Sample(decode_time, own_duration, composition, is_key, data))
        at += own_size
        decode_time += own_duration
    return samples


def initialization(tracks: Sequence[Track]) -> bytes:
    """Return the header (`ftyp`, `moov`) of fragments with these tracks, whose ids are 1, 2, ...

    Raises MalformedMediaError.
    """
    numbered = list(enumerate(tracks, 1))
    movie_header = tracks[0].movie_header[:-4] + struct.pack(">I", len(tracks) + 1)
    return box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6mp41") + box(
        b"moov",
        box(b"mvhd", movie_header),
        *(box(b"trak", _with_id(track.box, number)) for number, track in numbered),
        box(
            b"mvex",
            *(full_box(b"trex", 0, 0, struct.pack(">5I", number, 1, 0, 0, 0)) for number, _ in numbered),
        ),
    )  # fmt: skip


def fragment(number: int, runs: Sequence[Sequence[Sample]]) -> bytes:
    """Return one `moof` and `mdat` with a run for each track that has samples, in the order of the tracks' ids.

    Raises MalformedMediaError for times that no fragment can hold.
    """
    present = [(track_id, run) for track_id, run in enumerate(runs, 1) if run]
    data = [sample.data for _, run in present for sample in run]

    def head(offset: int) -> bytes:
        trafs = []
        for track_id, run in present:
            trafs.append(_traf(track_id, run, offset))
            offset += sum(len(sample.data) for sample in run)
        return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", number)), *trafs)

    try:
        return head(len(head(0)) + 8) + box(b"mdat", *data)
    except struct.error:
        raise MalformedMediaError("the times of a fragment's samples lie too far apart") from None


def _traf(track_id: int, run: Sequence[Sample], offset: int) -> bytes:
    # By the next sample's time where there is one: a gap must not move all that follows.
    durations = [after.decode_time - before.decode_time for before, after in pairwise(run)]
    rows = [
        struct.pack(
            ">3Ii",
            duration,
            len(sample.data),
            _KEY_FLAGS if sample.is_key else _OTHER_FLAGS,
            sample.composition,
        )
        for sample, duration in zip(run, [*durations, run[-1].duration], strict=True)
    ]
    has = _OFFSET | _EACH_DURATION | _EACH_SIZE | _EACH_FLAGS | _EACH_COMPOSITION
    return box(
        b"traf",
        full_box(b"tfhd", 0, _BASE_IS_MOOF, struct.pack(">I", track_id)),
        full_box(b"tfdt", 1, 0, struct.pack(">Q", run[0].decode_time)),
        full_box(b"trun", 1, has, struct.pack(">Ii", len(run), offset), *rows),
    )


def _with_id(trak: bytes, number: int) -> bytes:
    """Return the payload of a `trak` with another track id, which stands in its first box, `tkhd`."""
    header = child(trak, b"tkhd")
    fields = Fields(header)
    version, _ = fields.version_and_flags()
    at = 20 if version else 12
    fields.take(at)
    renumbered = header[:at] + struct.pack(">I", number) + header[at + 4 :]
    return trak.replace(box(b"tkhd", header), box(b"tkhd", renumbered), 1)
