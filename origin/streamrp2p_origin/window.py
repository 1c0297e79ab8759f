"""The live window: which segments the playlist lists, and the playlist's plain text. Pure; RFC 8216 section 6.2."""

from dataclasses import dataclass, replace

from streamrp2p.numbers import Hash

MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class PublishedSegment:
    """One segment that the origin vouches for. `is_discontinuity`: an encoder's visit begins here."""

    name: str
    duration_micros: int
    length_bytes: int
    sha256: Hash
    is_discontinuity: bool


@dataclass(frozen=True, slots=True)
class LiveWindow:
    """The last `size` segments. `media_sequence` and `discontinuity_sequence` are those of the oldest."""

    size: int
    media_sequence: int
    target_seconds: int
    discontinuity_sequence: int = 0
    segments: tuple[PublishedSegment, ...] = ()

    @property
    def next_sequence(self) -> int:
        """The media sequence of the segment to come."""
        return self.media_sequence + len(self.segments)

    def add(self, segment: PublishedSegment) -> "LiveWindow":
        """Return the window with one more segment, and the oldest gone if it was full."""
        segments = (*self.segments, segment)
        gone, kept = segments[: -self.size], segments[-self.size :]
        return replace(
            self,
            media_sequence=self.media_sequence + len(gone),
            discontinuity_sequence=self.discontinuity_sequence
            + sum(old.is_discontinuity for old in gone),
            # It may only grow: players poll by it. Rounded, no segment may be longer (section 4.3.3.1).
            target_seconds=max(
                self.target_seconds, (segment.duration_micros + MICROS // 2) // MICROS
            ),
            segments=kept,
        )

    def text(self) -> str:
        """Return the playlist without hashes and signature, every line ended by a newline."""
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:3",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            f"#EXT-X-TARGETDURATION:{self.target_seconds}",
            f"#EXT-X-MEDIA-SEQUENCE:{self.media_sequence}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self.discontinuity_sequence}",
        ]
        for segment in self.segments:
            if segment.is_discontinuity:
                lines.append("#EXT-X-DISCONTINUITY")
            lines.append(f"#EXTINF:{segment.duration_micros / MICROS:.6f},")
            lines.append(segment.name)
        return "".join(line + "\n" for line in lines)


def continuing(text: str, size: int, target_seconds: int) -> LiveWindow:
    """Return the empty window that follows the playlist `text` of an earlier run, so that no number is used twice.

    Raises ValueError when the text lacks its numbers.
    """
    lines = text.splitlines()
    numbers = {
        name: int(value)
        for name, _, value in (line.partition(":") for line in lines)
        if value.isascii() and value.isdigit()
    }
    if "#EXT-X-MEDIA-SEQUENCE" not in numbers:
        raise ValueError("the playlist has no media sequence")
    return LiveWindow(
        size,
        numbers["#EXT-X-MEDIA-SEQUENCE"]
        + sum(bool(line) and not line.startswith("#") for line in lines),
        max(target_seconds, numbers.get("#EXT-X-TARGETDURATION", 0)),
        numbers.get("#EXT-X-DISCONTINUITY-SEQUENCE", 0) + lines.count("#EXT-X-DISCONTINUITY"),
    )
