"""The multivariant playlist: which renditions of a stream there are."""

from dataclasses import dataclass

from streamrp2p.errors import MalformedError
from streamrp2p.foreign_text import printable
from streamrp2p.numbers import Address
from streamrp2p.playlist.attributes import Attributes, integer
from streamrp2p.playlist.names import rendition_of
from streamrp2p.playlist.signed_text import Tag, tags, unseal
from streamrp2p.typed_data import Domain

MULTIVARIANT_TAG = "#EXT-X-STREAMRP2P-MULTIVARIANT"

_STREAM_TAG = "#EXT-X-STREAM-INF"
_PLAIN_TAGS = ["#EXT-X-INDEPENDENT-SEGMENTS", MULTIVARIANT_TAG]
_ATTRIBUTES = ["BANDWIDTH", "AVERAGE-BANDWIDTH", "CODECS", "RESOLUTION", "FRAME-RATE"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One rendition. What the origin does not tell is None; `codecs` is a list by RFC 6381."""

    rendition: str
    bandwidth_bits_per_second: int
    average_bandwidth_bits_per_second: int | None = None
    codecs: str | None = None
    width: int | None = None
    height: int | None = None
    frame_rate_millihertz: int | None = None


@dataclass(frozen=True, slots=True)
class MultivariantPlaylist:
    """A verified multivariant playlist, variants in the origin's order. `published_at` is in Unix seconds."""

    pool_id: int
    published_at: int
    variants: tuple[Variant, ...]


def verify_multivariant_playlist(
    data: bytes, *, pool_id: int, domain: Domain, origin: Address
) -> MultivariantPlaylist:
    """Check the origin's signature and read the variants. Raises SignatureError or MalformedError."""
    lines, published_at = unseal(data, pool_id=pool_id, domain=domain, origin=origin)
    seen: set[str] = set()
    variants: dict[str, Variant] = {}
    for tag in tags(lines):
        if tag.name == _STREAM_TAG:
            variant = _variant(tag)
            if variant.rendition in variants:
                raise MalformedError(f"playlist names rendition {variant.rendition} twice")
            variants[variant.rendition] = variant
        elif tag.name in seen:
            raise MalformedError(f"{tag.name} stands twice")
        elif tag.name == "#EXT-X-VERSION":
            integer(tag.value, tag.name)
        elif tag.name not in _PLAIN_TAGS or tag.value is not None:
            raise MalformedError(
                f"{printable(tag.name)} is wrong, or no tag that a multivariant playlist may have"
            )
        seen.add(tag.name)
    if MULTIVARIANT_TAG not in seen or not variants:
        raise MalformedError(
            f"a multivariant playlist must have {MULTIVARIANT_TAG} and a rendition at least"
        )
    return MultivariantPlaylist(pool_id, published_at, tuple(variants.values()))


def _variant(tag: Tag) -> Variant:
    attributes = Attributes(tag.value, tag.name, _ATTRIBUTES)
    rendition = rendition_of(tag.following)
    if rendition is None:
        raise MalformedError(
            f"{printable(tag.following)!r} after {_STREAM_TAG} is no rendition's playlist"
        )
    width, height = attributes.optional_resolution("RESOLUTION") or (None, None)
    frame_rate = attributes.optional_micros("FRAME-RATE")
    return Variant(
        rendition,
        attributes.integer("BANDWIDTH"),
        attributes.optional_integer("AVERAGE-BANDWIDTH"),
        attributes.optional_text("CODECS"),
        width,
        height,
        None if frame_rate is None else frame_rate // 1000,
    )
