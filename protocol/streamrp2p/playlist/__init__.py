"""Signed HLS playlists, and the objects that the origin vouches for. Source: docs/protocol.md section 10."""

from streamrp2p.playlist.media import (
    MediaPlaylist,
    Part,
    Segment,
    ServerControl,
    merge,
)
from streamrp2p.playlist.media_reader import verify_media_playlist
from streamrp2p.playlist.multivariant import (
    MultivariantPlaylist,
    Variant,
    verify_multivariant_playlist,
)
from streamrp2p.playlist.names import (
    MULTIVARIANT_NAME,
    OBJECT_NAME,
    PATH_NAME,
    playlist_name,
    rendition_of,
)
from streamrp2p.playlist.objects import MAX_OBJECT_BYTES, MediaObject, matches
from streamrp2p.playlist.reload import Edge, Reload, read_reload, reload_after
from streamrp2p.playlist.signed_text import MAX_PLAYLIST_BYTES
from streamrp2p.playlist.signing import sign_playlist

__all__ = [
    "MAX_OBJECT_BYTES",
    "MAX_PLAYLIST_BYTES",
    "MULTIVARIANT_NAME",
    "OBJECT_NAME",
    "PATH_NAME",
    "Edge",
    "MediaObject",
    "MediaPlaylist",
    "MultivariantPlaylist",
    "Part",
    "Reload",
    "Segment",
    "ServerControl",
    "Variant",
    "matches",
    "merge",
    "playlist_name",
    "read_reload",
    "reload_after",
    "rendition_of",
    "sign_playlist",
    "verify_media_playlist",
    "verify_multivariant_playlist",
]
