"""What a media playlist says of itself before it lists anything."""

from dataclasses import dataclass, field

from streamrp2p.errors import MalformedError
from streamrp2p.playlist.attributes import Attributes, integer
from streamrp2p.playlist.media import ServerControl
from streamrp2p.playlist.signed_text import Tag

RENDITION_TAG = "#EXT-X-STREAMRP2P-RENDITION"

_VERSION = "#EXT-X-VERSION"
_INDEPENDENT = "#EXT-X-INDEPENDENT-SEGMENTS"
_TARGET = "#EXT-X-TARGETDURATION"
_SEQUENCE = "#EXT-X-MEDIA-SEQUENCE"
_DISCONTINUITIES = "#EXT-X-DISCONTINUITY-SEQUENCE"
_CONTROL = "#EXT-X-SERVER-CONTROL"
_PARTS = "#EXT-X-PART-INF"
_SKIP = "#EXT-X-SKIP"
_TAGS = {
    _VERSION,
    _INDEPENDENT,
    _TARGET,
    _SEQUENCE,
    _DISCONTINUITIES,
    _CONTROL,
    _PARTS,
    _SKIP,
    RENDITION_TAG,
}
_CONTROLS = ("CAN-BLOCK-RELOAD", "CAN-SKIP-UNTIL", "HOLD-BACK", "PART-HOLD-BACK")


@dataclass(slots=True)
class MediaHeader:
    """The header's tags, as far as they were read. All methods and properties raise MalformedError."""

    is_closed: bool = False
    """Whether something is listed already: other players count from where they find a tag."""
    _values: dict[str, str | None] = field(default_factory=dict)

    def take(self, tag: Tag) -> bool:
        """Take the tag if it is one of the header's; tell whether it is."""
        if tag.name not in _TAGS:
            return False
        if self.is_closed or tag.name in self._values:
            raise MalformedError(f"{tag.name} stands twice, or after the first segment")
        self._values[tag.name] = tag.value
        return True

    def check(self) -> None:
        """Check what says nothing more to a reader."""
        integer(self._values.get(_VERSION, "1"), _VERSION)
        if self._values.get(_INDEPENDENT) is not None:
            raise MalformedError(f"{_INDEPENDENT} has no value")

    @property
    def rendition(self) -> str | None:
        """The rendition's name, which may be none."""
        return self._values.get(RENDITION_TAG)

    @property
    def media_sequence(self) -> int:
        """That of the first segment, skipped or not."""
        return integer(self._values.get(_SEQUENCE), _SEQUENCE)

    @property
    def discontinuity_sequence(self) -> int:
        """That of the first segment."""
        return integer(self._values.get(_DISCONTINUITIES, "0"), _DISCONTINUITIES)

    @property
    def target_seconds(self) -> int:
        """The target duration."""
        return integer(self._values.get(_TARGET), _TARGET)

    @property
    def part_target_micros(self) -> int | None:
        """The parts' target duration; None when there may be no parts."""
        if _PARTS not in self._values:
            return None
        return Attributes(self._values[_PARTS], _PARTS, ["PART-TARGET"]).micros("PART-TARGET")

    @property
    def skipped_segments(self) -> int:
        """How many segments a delta update leaves out; 0 for a full playlist."""
        if _SKIP not in self._values:
            return 0
        attributes = Attributes(self._values[_SKIP], _SKIP, ["SKIPPED-SEGMENTS"])
        skipped = attributes.integer("SKIPPED-SEGMENTS")
        if skipped == 0:
            raise MalformedError(f"{_SKIP} must skip a segment at least")
        return skipped

    @property
    def server_control(self) -> ServerControl:
        """What the server offers; nothing without its tag."""
        if _CONTROL not in self._values:
            return ServerControl()
        attributes = Attributes(self._values[_CONTROL], _CONTROL, _CONTROLS)
        return ServerControl(
            can_block_reload=attributes.is_yes("CAN-BLOCK-RELOAD"),
            can_skip_until_micros=attributes.optional_micros("CAN-SKIP-UNTIL"),
            hold_back_micros=attributes.optional_micros("HOLD-BACK"),
            part_hold_back_micros=attributes.optional_micros("PART-HOLD-BACK"),
        )
