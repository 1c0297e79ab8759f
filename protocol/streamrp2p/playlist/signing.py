"""How the origin signs a playlist's plain text."""

from collections.abc import Iterable, Iterator

from streamrp2p.errors import MalformedError
from streamrp2p.foreign_text import printable
from streamrp2p.playlist.attributes import Attributes
from streamrp2p.playlist.objects import (
    MAP_TAG,
    PART_TAG,
    SEGMENT_TAG,
    THUMBNAIL_TAG,
    MediaObject,
    vouching,
)
from streamrp2p.playlist.signed_text import seal
from streamrp2p.typed_data import Domain


def sign_playlist(
    text: str, objects: Iterable[MediaObject], *, pool_id: int, domain: Domain, published_at: int,
    origin_key: bytes,
) -> bytes:  # fmt: skip
    """Return the playlist with its vouching tags and the signature line; media playlists and multivariant ones alike.

    The text is plain HLS with its `#EXT-X-STREAMRP2P-RENDITION` or `-MULTIVARIANT` tag. A thumbnail stands in it as
    `#EXT-X-STREAMRP2P-THUMBNAIL:URI="name"`. Raises MalformedError when it names an object that is not in `objects`.
    """
    known = {each.name: each for each in objects}
    lines = list(_vouched(text.removesuffix("\n").split("\n"), known))
    return seal(
        lines, pool_id=pool_id, domain=domain, published_at=published_at, origin_key=origin_key
    )


def _vouched(lines: list[str], known: dict[str, MediaObject]) -> Iterator[str]:
    for index, line in enumerate(lines):
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-MAP":
            name = Attributes(value, tag, ["URI"]).text("URI")
            yield f"{MAP_TAG}:{vouching(_object(known, name))}"
        elif tag == "#EXT-X-PART":
            name = Attributes(value, tag, ["DURATION", "URI", "INDEPENDENT"]).text("URI")
            yield f"{PART_TAG}:{vouching(_object(known, name))}"
        elif tag == "#EXTINF":
            following = lines[index + 1] if index + 1 < len(lines) else ""
            yield f"{SEGMENT_TAG}:{vouching(_object(known, following))}"
        elif tag == THUMBNAIL_TAG:
            name = Attributes(value, tag, ["URI"]).text("URI")
            yield f'{THUMBNAIL_TAG}:{vouching(_object(known, name))},URI="{name}"'
            continue
        yield line


def _object(known: dict[str, MediaObject], name: str) -> MediaObject:
    if name not in known:
        raise MalformedError(f"playlist names object {printable(name)!r}, whose hash is not known")
    return known[name]
