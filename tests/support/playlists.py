"""Playlists as an origin signs them, and any text signed as if an origin had written it."""

from hashlib import sha256

from streamrp2p.numbers import Address, Hash
from streamrp2p.playlist import MediaObject
from streamrp2p.playlist.signed_text import seal
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain

ORIGIN_KEY = bytes([1]) * 32
ORIGIN = address_of(ORIGIN_KEY)
DOMAIN = Domain(31337, Address(bytes([0xEB]) * 20))
POOL_ID = 7


def media_object(name: str, data: bytes) -> MediaObject:
    """Return what an origin knows of the object `name` with these bytes."""
    return MediaObject(name, len(data), Hash(sha256(data).digest()))


def vouched(text: str, published_at: int = 5) -> bytes:
    """Sign any lines as the origin would, well formed or not."""
    lines = text.removesuffix("\n").split("\n")
    return seal(
        lines, pool_id=POOL_ID, domain=DOMAIN, published_at=published_at, origin_key=ORIGIN_KEY
    )
