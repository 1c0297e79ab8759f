"""The live window of one rendition: what its playlist lists, and the playlist's plain text. Pure; RFC 8216bis.

Thousands of players may read the text every half second, so the older segments can be left out of it (a delta update).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from streamrp2p.playlist import Edge, MediaObject, Part

MICROS = 1_000_000
SEGMENTS_WITH_PARTS = 3
"""Complete segments whose parts are listed: players come in that far from the live edge (RFC 8216bis 4.4.4.9)."""
HOLD_BACK_TARGETS = 3
PART_HOLD_BACK_PARTS = 3
SKIP_TARGETS = 6
"""The least that RFC 8216bis 4.4.3.8 allows for each."""
MAX_SEGMENTS = 4000
"""A playlist of so many has three quarters of what its readers take."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One encoder's visit, as a rendition shows it. `number` counts the visits before it."""

    number: int
    map: MediaObject


@dataclass(frozen=True, slots=True)
class WindowSegment:
    """A complete segment. `begins_at` is when it is shown, as in RFC 3339; `is_first`: of its visit."""

    object: MediaObject
    duration_micros: int
    parts: tuple[Part, ...]
    visit: Visit
    is_first: bool
    begins_at: str
    thumbnail: MediaObject | None = None

    @property
    def is_discontinuity(self) -> bool:
        """Whether it does not continue what was shown before."""
        return self.is_first and self.visit.number > 0


@dataclass(frozen=True, slots=True)
class LiveWindow:
    """The segments of the last `length_micros` and the parts of the one in progress.

    `media_sequence` is that of the oldest segment.
    """

    rendition: str
    length_micros: int
    media_sequence: int
    target_seconds: int
    part_target_micros: int
    segments: tuple[WindowSegment, ...] = ()
    visit: Visit | None = None
    parts: tuple[Part, ...] = ()
    begins_at: str = ""
    """When the first of `parts` is shown."""
    is_first: bool = False
    """Whether the segment in progress is the first of its visit."""
    thumbnail: MediaObject | None = None
    """Of the segment in progress, listed once that is complete."""

    @property
    def next_sequence(self) -> int:
        """The media sequence of the segment in progress."""
        return self.media_sequence + len(self.segments)

    @property
    def edge(self) -> Edge:
        """The newest that the text lists."""
        parts_before = len(self.segments[-1].parts) if self.segments else 0
        return Edge(self.next_sequence, len(self.parts), parts_before, self.part_target_micros)

    def begin_visit(self, visit: Visit, sequence: int) -> "LiveWindow":
        """Return the window whose next segment begins the visit and has this number.

        Numbers in a playlist have no gaps, so what came before one is given up.
        """
        window = replace(self, visit=visit, is_first=True)
        if sequence == self.next_sequence:
            return window
        return replace(window, segments=(), media_sequence=sequence)

    def add_part(self, part: Part, begins_at: str) -> "LiveWindow":
        """Return the window with one more part of the segment in progress, which begins at that time."""
        return replace(
            self,
            parts=(*self.parts, part),
            begins_at=begins_at,
            # Both targets may only grow: players rely on them.
            part_target_micros=max(self.part_target_micros, part.duration_micros),
        )

    def end_segment(self, whole: MediaObject) -> "LiveWindow":
        """Return the window whose parts in progress have become the segment `whole`, the oldest gone if it was full."""
        if self.visit is None or not self.parts:
            raise ValueError("no segment is in progress")
        duration = sum(part.duration_micros for part in self.parts)
        segment = WindowSegment(
            whole, duration, self.parts, self.visit, self.is_first, self.begins_at,
            self.thumbnail,
        )  # fmt: skip
        segments = (*self.segments, segment)
        if len(segments) > SEGMENTS_WITH_PARTS:
            at = len(segments) - SEGMENTS_WITH_PARTS - 1
            without_parts = replace(segments[at], parts=())
            segments = (*segments[:at], without_parts, *segments[at + 1 :])
        kept = segments[-_count_within(segments, self.length_micros) :]
        return replace(
            self,
            media_sequence=self.media_sequence + len(segments) - len(kept),
            segments=kept,
            parts=(),
            thumbnail=None,
            is_first=False,
            # Rounded, no segment may be longer (section 4.4.3.1).
            target_seconds=max(self.target_seconds, (duration + MICROS // 2) // MICROS),
        )

    def add_thumbnail(self, sequence: int, thumbnail: MediaObject) -> "LiveWindow":
        """Return the window with a thumbnail for a segment; the same window when that is gone."""
        at = sequence - self.media_sequence
        if sequence == self.next_sequence and self.parts:
            return replace(self, thumbnail=thumbnail)
        if not 0 <= at < len(self.segments):
            return self
        segment = replace(self.segments[at], thumbnail=thumbnail)
        return replace(self, segments=(*self.segments[:at], segment, *self.segments[at + 1 :]))

    def without_before(self, sequence: int) -> "LiveWindow":
        """Return the window without the segments before this number."""
        gone = min(max(sequence - self.media_sequence, 0), len(self.segments))
        return replace(
            self, media_sequence=self.media_sequence + gone, segments=self.segments[gone:]
        )

    def skippable(self) -> int:
        """Return how many of the oldest segments a delta update leaves out."""
        beyond = SKIP_TARGETS * self.target_seconds * MICROS
        beyond -= sum(part.duration_micros for part in self.parts)
        return len(self.segments) - _count_within(self.segments, beyond)

    def objects(self) -> Iterator[MediaObject]:
        """Give every object that the text names."""
        for segment in self.segments:
            yield segment.visit.map
            if segment.thumbnail is not None:
                yield segment.thumbnail
            yield from (part.object for part in segment.parts)
            yield segment.object
        if self.visit is not None:
            yield self.visit.map
        if self.thumbnail is not None:
            yield self.thumbnail
        yield from (part.object for part in self.parts)

    def text(self, skipped: int = 0) -> str:
        """Return the playlist without hashes and signature, and without the `skipped` oldest segments."""
        lines = [*self._header(), *([f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"] if skipped else [])]
        shown: Visit | None = None
        for segment in self.segments[skipped:]:
            lines += _beginning(
                segment.visit,
                shown,
                segment.begins_at,
                is_discontinuity=segment.is_discontinuity,
            )
            shown = segment.visit
            if segment.thumbnail is not None:
                lines.append(f'#EXT-X-STREAMRP2P-THUMBNAIL:URI="{segment.thumbnail.name}"')
            lines += map(_part_line, segment.parts)
            lines.append(f"#EXTINF:{_seconds(segment.duration_micros)},")
            lines.append(segment.object.name)
        if self.parts and self.visit is not None:
            is_break = self.is_first and self.visit.number > 0
            lines += _beginning(self.visit, shown, self.begins_at, is_discontinuity=is_break)
            lines += map(_part_line, self.parts)
        return "".join(line + "\n" for line in lines)

    def _header(self) -> list[str]:
        target = self.target_seconds
        control = (
            f"CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={SKIP_TARGETS * target},"
            f"HOLD-BACK={HOLD_BACK_TARGETS * target},"
            f"PART-HOLD-BACK={_seconds(PART_HOLD_BACK_PARTS * self.part_target_micros)}"
        )
        return [
            "#EXTM3U",
            "#EXT-X-VERSION:9",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            f"#EXT-X-STREAMRP2P-RENDITION:{self.rendition}",
            f"#EXT-X-TARGETDURATION:{target}",
            f"#EXT-X-SERVER-CONTROL:{control}",
            f"#EXT-X-PART-INF:PART-TARGET={_seconds(self.part_target_micros)}",
            f"#EXT-X-MEDIA-SEQUENCE:{self.media_sequence}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._discontinuity_sequence()}",
        ]

    def _discontinuity_sequence(self) -> int:
        """Return how many discontinuities came before the oldest segment: one with each visit but the first."""
        if self.segments:
            oldest = self.segments[0]
            return oldest.visit.number - oldest.is_discontinuity
        if self.visit is None:
            return 0
        return self.visit.number - (self.is_first and self.visit.number > 0)


def _beginning(
    visit: Visit, shown: Visit | None, begins_at: str, *, is_discontinuity: bool
) -> Iterator[str]:
    """Give the lines before a segment: a delta update says anew which map holds and what time it is."""
    if is_discontinuity:
        yield "#EXT-X-DISCONTINUITY"
    if visit != shown:
        yield f'#EXT-X-MAP:URI="{visit.map.name}"'
        yield f"#EXT-X-PROGRAM-DATE-TIME:{begins_at}"


def _part_line(part: Part) -> str:
    independent = ",INDEPENDENT=YES" if part.is_independent else ""
    return f'#EXT-X-PART:DURATION={_seconds(part.duration_micros)},URI="{part.object.name}"{independent}'


def _seconds(micros: int) -> str:
    return f"{micros // MICROS}.{micros % MICROS:06d}"


def _count_within(segments: tuple[WindowSegment, ...], length_micros: int) -> int:
    """Return how many of the newest segments last no longer in sum, at least those with parts."""
    count = total = 0
    for segment in reversed(segments[-MAX_SEGMENTS:]):
        total += segment.duration_micros
        if total > length_micros and count >= SEGMENTS_WITH_PARTS:
            break
        count += 1
    return count
