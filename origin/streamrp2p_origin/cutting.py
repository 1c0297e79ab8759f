"""Where a stream is cut: segments at key frames, parts within them, sound with the pictures it belongs to. Pure.

The rule looks at times alone, so renditions whose key frames have the same times are all cut at the same places.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

from streamrp2p_origin.errors import PackagingError
from streamrp2p_origin.fragments import Sample, fragment
from streamrp2p_origin.movie import Track

MICROS = 1_000_000
EARLY_SECONDS = Fraction(1, 20)
"""A key frame may come so much before its due: timestamps of RTMP are rounded, encoders are a frame early."""
ROUNDING_SECONDS = Fraction(1, 200)
"""As much a part may be shorter than wanted without another frame."""
AUDIO_LAG_SECONDS = 1
"""Sound that is so much behind the picture is not waited for."""
MAX_SEGMENT_SECONDS = 30
"""Without a key frame for so long, no viewer can come in."""
MAX_PENDING_BYTES = 32 * 1024 * 1024
"""Of one part, and of what waits for its sound."""


@dataclass(frozen=True, slots=True)
class CutPart:
    """A finished part. `segment_start_micros` is when the first picture of its segment is shown.

    `is_independent`: it begins with a key frame.
    """

    data: bytes
    duration_micros: int
    pictures: int
    is_independent: bool
    segment_start_micros: int


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """The parts since the last one of these make a segment."""


Cut = CutPart | SegmentEnd


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A part whose pictures are whole, and until when, by the pictures' clock, its sound lasts; no pictures: an end."""

    pictures: tuple[Sample, ...]
    until: int
    segment_start: int


class Cutter:
    """Takes the samples of one rendition in decoding order, gives its parts."""

    def __init__(
        self, video: Track, audio: Track | None, segment_seconds: float, part_seconds: float
    ) -> None:
        self._video = video
        self._audio = audio
        self._segment = int((Fraction(segment_seconds) - EARLY_SECONDS) * video.timescale)
        self._part = int(Fraction(part_seconds) * video.timescale)
        self._rounding = int(ROUNDING_SECONDS * video.timescale)
        self._key: Sample | None = None
        """The first picture of the segment in progress."""
        self._begin: int | None = None
        """When the very first picture is shown."""
        self._pictures: list[Sample] = []
        self._sound: deque[Sample] = deque()
        self._waiting: deque[_Waiting] = deque()
        self._due = 0
        """Decoding time at which the part in progress ends."""
        self._decoded_until = 0
        self._pending_bytes = 0
        self._fragments = 0

    def add_picture(self, sample: Sample) -> list[Cut]:
        """Take a picture. Raises PackagingError for times that leap, lasting want of key frames, too much data."""
        if self._key is None and not sample.is_key:
            return []
        if sample.decode_time < self._decoded_until:
            raise PackagingError("the encoder's timestamps go back; let it connect anew")
        begin = self._decoded_until if self._key else sample.decode_time
        if sample.decode_end - begin > MAX_SEGMENT_SECONDS * self._video.timescale:
            raise PackagingError("the encoder's timestamps leap forward; let it connect anew")
        if self._key is None or (
            sample.is_key and sample.display_time - self._key.display_time >= self._segment
        ):
            self._begin_segment(sample)
        elif (
            sample.decode_end - self._key.decode_time > MAX_SEGMENT_SECONDS * self._video.timescale
        ):
            raise PackagingError(
                f"the encoder sent no key frame for {MAX_SEGMENT_SECONDS} s; "
                "set its key frame interval to the length of a segment"
            )
        self._pictures.append(sample)
        self._decoded_until = sample.decode_end
        self._note_bytes(len(sample.data))
        if sample.decode_end >= self._due - self._rounding:
            self._close_part(self._shown_at(sample.decode_end))
        return self._released()

    def add_sound(self, sample: Sample) -> list[Cut]:
        """Take a block of sound. Raises PackagingError when too much is pending."""
        if self._begin is not None and self._is_before(sample.display_time, self._begin):
            return []
        self._sound.append(sample)
        self._note_bytes(len(sample.data))
        return self._released()

    def end(self) -> list[Cut]:
        """Give what is left: the stream has ended."""
        if self._key is None:
            return []
        self._end_segment(self._shown_at(self._decoded_until))
        self._audio = None
        return self._released()

    def _begin_segment(self, key: Sample) -> None:
        if self._key is None:
            self._begin = key.display_time
            self._drop_sound_before(key.display_time)
        else:
            self._end_segment(key.display_time)
        self._key = key
        self._due = key.decode_time + self._part

    def _end_segment(self, until: int) -> None:
        self._close_part(until)
        self._waiting.append(_Waiting((), until, 0))

    def _close_part(self, until: int) -> None:
        assert self._key is not None  # noqa: S101 - there are no pictures before the first key frame
        if self._pictures:
            self._waiting.append(_Waiting(tuple(self._pictures), until, self._key.display_time))
            self._pictures = []
        # Parts end on a grid from the segment's beginning, whatever the frame rate: as many in each rendition.
        passed = self._decoded_until + self._rounding - self._key.decode_time
        self._due = self._key.decode_time + (passed // self._part + 1) * self._part

    def _released(self) -> list[Cut]:
        released: list[Cut] = []
        while self._waiting and self._has_sound_for(self._waiting[0].until):
            waiting = self._waiting.popleft()
            released.append(self._cut(waiting) if waiting.pictures else SegmentEnd())
        return released

    def _cut(self, waiting: _Waiting) -> CutPart:
        sound = []
        while self._sound and self._is_before(self._sound[0].display_time, waiting.until):
            sound.append(self._sound.popleft())
        pictures = waiting.pictures
        self._pending_bytes -= sum(len(each.data) for each in (*pictures, *sound))
        self._fragments += 1
        begin, end = (
            self._micros(time) for time in (pictures[0].decode_time, pictures[-1].decode_end)
        )
        return CutPart(
            fragment(self._fragments, (pictures, sound)),
            end - begin,
            len(pictures),
            pictures[0].is_key,
            self._micros(waiting.segment_start),
        )

    def _has_sound_for(self, until: int) -> bool:
        if self._audio is None:
            return True
        if self._shown_at(self._decoded_until) - until > AUDIO_LAG_SECONDS * self._video.timescale:
            return True
        return bool(self._sound) and not self._is_before(
            self._sound[-1].display_time + self._sound[-1].duration, until
        )

    def _drop_sound_before(self, time: int) -> None:
        while self._sound and self._is_before(self._sound[0].display_time, time):
            self._pending_bytes -= len(self._sound.popleft().data)

    def _is_before(self, sound_time: int, picture_time: int) -> bool:
        if self._audio is None:
            return True
        return sound_time * self._video.timescale < picture_time * self._audio.timescale

    def _shown_at(self, decode_time: int) -> int:
        """Return when a picture that is decoded at this time is shown, but for the reordering of pictures."""
        assert self._key is not None  # noqa: S101 - asked within a segment
        return decode_time + self._key.composition

    def _micros(self, time: int) -> int:
        return time * MICROS // self._video.timescale

    def _note_bytes(self, length_bytes: int) -> None:
        self._pending_bytes += length_bytes
        if self._pending_bytes > MAX_PENDING_BYTES:
            raise PackagingError(
                f"more than {MAX_PENDING_BYTES} bytes came within one part; "
                "lower the encoder's bit rate"
            )
