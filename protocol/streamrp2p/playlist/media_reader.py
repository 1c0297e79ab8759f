"""Reads a media playlist by the letter: what is not provided for here, no playlist may have."""

import re
from dataclasses import dataclass, field

from streamrp2p.errors import MalformedError
from streamrp2p.foreign_text import printable
from streamrp2p.numbers import Address
from streamrp2p.playlist.attributes import Attributes, integer, micros
from streamrp2p.playlist.media import MediaPlaylist, Part, Segment, ServerControl
from streamrp2p.playlist.names import is_rendition
from streamrp2p.playlist.objects import (
    MAP_TAG,
    PART_TAG,
    SEGMENT_TAG,
    THUMBNAIL_TAG,
    MediaObject,
    read_object,
)
from streamrp2p.playlist.signed_text import Tag, tags, unseal
from streamrp2p.typed_data import Domain

RENDITION_TAG = "#EXT-X-STREAMRP2P-RENDITION"

_SKIP_TAG = "#EXT-X-SKIP"
_HEADER_TAGS = {
    "#EXT-X-VERSION",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    "#EXT-X-TARGETDURATION",
    "#EXT-X-MEDIA-SEQUENCE",
    "#EXT-X-DISCONTINUITY-SEQUENCE",
    "#EXT-X-SERVER-CONTROL",
    "#EXT-X-PART-INF",
    RENDITION_TAG,
    _SKIP_TAG,
}
"""Each stands at most once, before all that is listed: other players count from where they find it."""
_VOUCHED = {MAP_TAG: "#EXT-X-MAP:", PART_TAG: "#EXT-X-PART:", SEGMENT_TAG: "#EXTINF:"}
"""Each vouching tag, and how the line directly after it begins."""
_DATE_TIME = re.compile(
    r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:?[0-9]{2})"
)


def verify_media_playlist(
    data: bytes, *, pool_id: int, rendition: str, domain: Domain, origin: Address
) -> MediaPlaylist:
    """Check the origin's signature and read the playlist of that rendition, a full one or a delta update.

    Raises SignatureError or MalformedError.
    """
    lines, published_at = unseal(data, pool_id=pool_id, domain=domain, origin=origin)
    header: dict[str, str | None] = {}
    body: _Body | None = None
    for tag in tags(lines):
        if tag.name not in _HEADER_TAGS:
            body = body or _Body(_first_listed(header))
            body.read(tag)
        elif body is not None or tag.name in header:
            raise MalformedError(f"{tag.name} stands twice, or after the first segment")
        else:
            header[tag.name] = tag.value
    return _playlist(header, body or _Body(_first_listed(header)), pool_id, rendition, published_at)


def _first_listed(header: dict[str, str | None]) -> int:
    return integer(
        header.get("#EXT-X-MEDIA-SEQUENCE"), "#EXT-X-MEDIA-SEQUENCE"
    ) + _skipped_segments(header)


def _skipped_segments(header: dict[str, str | None]) -> int:
    if _SKIP_TAG not in header:
        return 0
    skipped = Attributes(header[_SKIP_TAG], _SKIP_TAG, ["SKIPPED-SEGMENTS"]).integer(
        "SKIPPED-SEGMENTS"
    )
    if skipped == 0:
        raise MalformedError(f"{_SKIP_TAG} must skip a segment at least")
    return skipped


def _playlist(
    header: dict[str, str | None], body: "_Body", pool_id: int, rendition: str, published_at: int
) -> MediaPlaylist:
    if header.get(RENDITION_TAG) != rendition or not is_rendition(rendition):
        found = printable(header.get(RENDITION_TAG))
        raise MalformedError(f"playlist is of rendition {found}, not of {printable(rendition)}")
    part_target = None
    if "#EXT-X-PART-INF" in header:
        attributes = Attributes(header["#EXT-X-PART-INF"], "#EXT-X-PART-INF", ["PART-TARGET"])
        part_target = attributes.micros("PART-TARGET")
    elif body.has_parts:
        raise MalformedError("a playlist with parts must have #EXT-X-PART-INF")
    if body.thumbnail is not None:
        raise MalformedError(f"thumbnail {body.thumbnail.name!r} stands before no segment")
    integer(header.get("#EXT-X-VERSION", "1"), "#EXT-X-VERSION")
    if header.get("#EXT-X-INDEPENDENT-SEGMENTS") is not None:
        raise MalformedError("#EXT-X-INDEPENDENT-SEGMENTS has no value")
    return MediaPlaylist(
        pool_id=pool_id,
        rendition=rendition,
        media_sequence=integer(header["#EXT-X-MEDIA-SEQUENCE"], "#EXT-X-MEDIA-SEQUENCE"),
        discontinuity_sequence=integer(
            header.get("#EXT-X-DISCONTINUITY-SEQUENCE", "0"), "#EXT-X-DISCONTINUITY-SEQUENCE"
        ),
        published_at=published_at,
        target_seconds=integer(header.get("#EXT-X-TARGETDURATION"), "#EXT-X-TARGETDURATION"),
        part_target_micros=part_target,
        server_control=_server_control(header),
        skipped_segments=_skipped_segments(header),
        segments=tuple(body.segments),
        parts=tuple(body.parts),
        map=body.map,
        is_ended=body.is_ended,
    )


def _server_control(header: dict[str, str | None]) -> ServerControl:
    tag = "#EXT-X-SERVER-CONTROL"
    if tag not in header:
        return ServerControl()
    known = ["CAN-BLOCK-RELOAD", "CAN-SKIP-UNTIL", "HOLD-BACK", "PART-HOLD-BACK"]
    attributes = Attributes(header[tag], tag, known)
    return ServerControl(
        can_block_reload=attributes.is_yes("CAN-BLOCK-RELOAD"),
        can_skip_until_micros=attributes.optional_micros("CAN-SKIP-UNTIL"),
        hold_back_micros=attributes.optional_micros("HOLD-BACK"),
        part_hold_back_micros=attributes.optional_micros("PART-HOLD-BACK"),
    )


@dataclass(slots=True)
class _Body:
    """What is listed, as far as it was read; `parts` to `is_discontinuity` are of the segment to come."""

    next_sequence: int
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
