"""What a media playlist lists, read by the letter: a tag that is not provided for here it may not have."""

import re
from dataclasses import dataclass, field

from streamrp2p.errors import MalformedError
from streamrp2p.foreign_text import printable
from streamrp2p.playlist.attributes import Attributes, micros
from streamrp2p.playlist.media import Part, Segment
from streamrp2p.playlist.objects import (
    MAP_TAG,
    PART_TAG,
    SEGMENT_TAG,
    THUMBNAIL_TAG,
    MediaObject,
    read_object,
)
from streamrp2p.playlist.signed_text import Tag

_VOUCHED = {MAP_TAG: "#EXT-X-MAP:", PART_TAG: "#EXT-X-PART:", SEGMENT_TAG: "#EXTINF:"}
"""Each vouching tag, and how the line directly after it begins."""
_DATE_TIME = re.compile(
    r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:?[0-9]{2})"
)


@dataclass(slots=True)
class MediaBody:
    """What is listed, as far as it was read; `parts` to `is_discontinuity` are of the segment to come."""

    next_sequence: int = 0
    segments: list[Segment] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    map: MediaObject | None = None
    thumbnail: MediaObject | None = None
    is_discontinuity: bool = False
    has_parts: bool = False
    is_ended: bool = False
    _vouching: str | None = None
    _objects: dict[str, MediaObject] = field(default_factory=dict)
    _media: set[str] = field(default_factory=set)

    def read(self, tag: Tag) -> None:
        """Take the next tag. Raises MalformedError."""
        if tag.name in _VOUCHED:
            if not tag.following.startswith(_VOUCHED[tag.name]):
                raise MalformedError(f"{tag.name} is not directly before what it vouches for")
            self._vouching = tag.value
            return
        if tag.name == THUMBNAIL_TAG:
            self._read_thumbnail(tag)
            return
        match tag.name:
            case "#EXT-X-MAP":
                self._begin_segment(tag)
                self.map = self._named(Attributes(tag.value, tag.name, ["URI"]).text("URI"))
            case "#EXT-X-PART":
                self._read_part(tag)
            case "#EXTINF":
                self._read_segment(tag)
            case "#EXT-X-DISCONTINUITY" if tag.value is None:
                self._begin_segment(tag)
                self.is_discontinuity = True
            case "#EXT-X-PROGRAM-DATE-TIME" if _DATE_TIME.fullmatch(tag.value or ""):
                self._begin_segment(tag)
            case "#EXT-X-ENDLIST" if tag.value is None and not self.is_ended:
                self.is_ended = True
            case _:
                raise MalformedError(
                    f"{printable(tag.name)} is wrong, or no tag that a media playlist may have"
                )

    def _begin_segment(self, tag: Tag) -> None:
        if self.parts:
            raise MalformedError(f"{tag.name} stands between the parts of one segment")

    def _read_thumbnail(self, tag: Tag) -> None:
        if self.thumbnail is not None:
            raise MalformedError("a segment has one thumbnail at most")
        vouching, _, uri = (tag.value or "").rpartition(",")
        name = Attributes(uri, tag.name, ["URI"]).text("URI")
        self._vouching = vouching
        self.thumbnail = self._named(name)

    def _read_part(self, tag: Tag) -> None:
        attributes = Attributes(tag.value, tag.name, ["DURATION", "URI", "INDEPENDENT"])
        part = Part(
            self._named_once(attributes.text("URI")),
            attributes.micros("DURATION"),
            attributes.is_yes("INDEPENDENT"),
        )
        self.parts.append(part)
        self.has_parts = True

    def _read_segment(self, tag: Tag) -> None:
        duration, comma, _ = (tag.value or "").partition(",")
        if not comma:
            raise MalformedError("#EXTINF must be a duration and a comma")
        segment = Segment(
            media_sequence=self.next_sequence,
            object=self._named_once(tag.following),
            duration_micros=micros(duration, "#EXTINF"),
            parts=tuple(self.parts),
            map=self.map,
            thumbnail=self.thumbnail,
            is_discontinuity=self.is_discontinuity,
        )
        if self.parts and segment.object.length_bytes != sum(
            part.object.length_bytes for part in self.parts
        ):
            raise MalformedError(f"the parts of segment {segment.object.name!r} are not all of it")
        self.segments.append(segment)
        self.next_sequence += 1
        self.parts, self.thumbnail, self.is_discontinuity = [], None, False

    def _named_once(self, name: str) -> MediaObject:
        if name in self._media:
            raise MalformedError(f"playlist names segment or part {printable(name)!r} twice")
        self._media.add(name)
        return self._named(name)

    def _named(self, name: str) -> MediaObject:
        """Return the object that the vouching tag just read is about."""
        found = read_object(self._vouching, name)
        self._vouching = None
        if self._objects.setdefault(name, found) != found:
            raise MalformedError(f"playlist names {name!r} for two different objects")
        return found
