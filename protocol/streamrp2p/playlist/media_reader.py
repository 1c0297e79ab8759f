"""Reads and verifies a media playlist: first its header, then what it lists."""

from streamrp2p.errors import MalformedError
from streamrp2p.foreign_text import printable
from streamrp2p.numbers import Address
from streamrp2p.playlist.media import MediaPlaylist
from streamrp2p.playlist.media_body import MediaBody
from streamrp2p.playlist.media_header import MediaHeader
from streamrp2p.playlist.names import is_rendition
from streamrp2p.playlist.signed_text import tags, unseal
from streamrp2p.typed_data import Domain


def verify_media_playlist(
    data: bytes, *, pool_id: int, rendition: str, domain: Domain, origin: Address
) -> MediaPlaylist:
    """Check the origin's signature and read the playlist of that rendition, a full one or a delta update.

    Raises SignatureError or MalformedError.
    """
    lines, published_at = unseal(data, pool_id=pool_id, domain=domain, origin=origin)
    header, body = MediaHeader(), MediaBody()
    for tag in tags(lines):
        if header.take(tag):
            continue
        if not header.is_closed:
            header.is_closed = True
            body.next_sequence = header.media_sequence + header.skipped_segments
        body.read(tag)
    header.check()
    if header.rendition != rendition or not is_rendition(rendition):
        raise MalformedError(
            f"playlist is of rendition {printable(header.rendition)}, not of {printable(rendition)}"
        )
    part_target_micros = header.part_target_micros
    if body.has_parts and part_target_micros is None:
        raise MalformedError("a playlist with parts must have #EXT-X-PART-INF")
    if body.thumbnail is not None:
        raise MalformedError(f"thumbnail {body.thumbnail.name!r} stands before no segment")
    return MediaPlaylist(
        pool_id=pool_id,
        rendition=rendition,
        media_sequence=header.media_sequence,
        discontinuity_sequence=header.discontinuity_sequence,
        published_at=published_at,
        target_seconds=header.target_seconds,
        part_target_micros=part_target_micros,
        server_control=header.server_control,
        skipped_segments=header.skipped_segments,
        segments=tuple(body.segments),
        parts=tuple(body.parts),
        map=body.map,
        is_ended=body.is_ended,
    )
