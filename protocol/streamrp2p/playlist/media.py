"""The media playlist of one rendition: what it lists, and a delta update on top of an older one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from streamrp2p.errors import MalformedError
from streamrp2p.playlist.objects import MediaObject
from streamrp2p.playlist.reload import Edge


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a segment. `is_independent`: it begins with a key frame."""

    object: MediaObject
    duration_micros: int
    is_independent: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """One complete segment, with its parts while the playlist lists them, and the map that initialises the decoder.

    `map` is None for media that need none, and in a delta update while no map follows the skipped segments.
    """

    media_sequence: int
    object: MediaObject
    duration_micros: int
    parts: tuple[Part, ...] = ()
    map: MediaObject | None = None
    thumbnail: MediaObject | None = None
    is_discontinuity: bool = False


@dataclass(frozen=True, slots=True)
class ServerControl:
    """What the server offers to players, and how far from the end it wants them (RFC 8216bis 4.4.3.8)."""

    can_block_reload: bool = False
    can_skip_until_micros: int | None = None
    hold_back_micros: int | None = None
    part_hold_back_micros: int | None = None


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """A verified media playlist, oldest segment first. `published_at` is in Unix seconds.

    The first `skipped_segments`, beginning at `media_sequence`, are left out: 0 unless it is a delta update.
    `parts` and `map` are those of the segment in progress.
    """

    pool_id: int
    rendition: str
    media_sequence: int
    discontinuity_sequence: int
    published_at: int
    target_seconds: int
    part_target_micros: int | None
    server_control: ServerControl
    skipped_segments: int
    segments: tuple[Segment, ...]
    parts: tuple[Part, ...]
    map: MediaObject | None
    is_ended: bool

    @property
    def next_sequence(self) -> int:
        """The media sequence of the segment in progress."""
        return self.media_sequence + self.skipped_segments + len(self.segments)

    @property
    def edge(self) -> Edge:
        """The newest that it lists."""
        return Edge(
            self.next_sequence,
            len(self.parts),
            len(self.segments[-1].parts) if self.segments else 0,
            self.part_target_micros,
            self.is_ended,
        )

    def objects(self) -> Iterator[MediaObject]:
        """Give every object that the playlist names, each once."""
        return iter(dict.fromkeys(self._named()))

    def _named(self) -> Iterator[MediaObject]:
        for segment in self.segments:
            yield from (each for each in (segment.map, segment.thumbnail) if each is not None)
            yield from (part.object for part in segment.parts)
            yield segment.object
        if self.map is not None:
            yield self.map
        yield from (part.object for part in self.parts)


def merge(older: MediaPlaylist, update: MediaPlaylist) -> MediaPlaylist:
    """Return the full playlist that `update`, a delta update or none, stands for on top of an older full one.

    Raises MalformedError when `older` does not hold all that the update skips: ask for the full playlist then.
    """
    if update.skipped_segments == 0:
        return update
    first = update.media_sequence - older.media_sequence
    skipped = older.segments[max(first, 0) : max(first, 0) + update.skipped_segments]
    if older.skipped_segments or first < 0 or len(skipped) < update.skipped_segments:
        raise MalformedError("delta update skips segments that the older playlist does not have")
    inherited = skipped[-1].map
    segments = tuple(each if each.map else replace(each, map=inherited) for each in update.segments)
    return replace(
        update, skipped_segments=0, segments=skipped + segments, map=update.map or inherited
    )
