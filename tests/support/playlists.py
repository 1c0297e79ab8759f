"""Playlists as an origin signs them, and any text signed as if an origin had written it."""

import re
from hashlib import sha256

from streamrp2p.numbers import Address, Hash
from streamrp2p.playlist import MediaObject
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, Playlist

ORIGIN_KEY = bytes([1]) * 32
ORIGIN = address_of(ORIGIN_KEY)
DOMAIN = Domain(31337, Address(bytes([0xEB]) * 20))
POOL_ID = 7


def media_object(name: str, data: bytes) -> MediaObject:
    """Return what an origin knows of the object `name` with these bytes."""
    return MediaObject(name, len(data), Hash(sha256(data).digest()))


def vouched(text: str, published_at: int = 5) -> bytes:
    """Sign any lines as the origin would, well formed or not."""
    content = text.encode() if text.endswith("\n") or not text else text.encode() + b"\n"
    sequences = re.findall(r"^#EXT-X-MEDIA-SEQUENCE:0*([0-9]{1,15})", text, re.MULTILINE)
    message = Playlist(
        POOL_ID, int(sequences[0]) if sequences else 0, Hash(sha256(content).digest()), published_at
    )
    signature = sign(message.digest(DOMAIN), ORIGIN_KEY).hex()
    line = f"#EXT-X-STREAMRP2P-SIGNATURE:PUBLISHED-AT={published_at},SIGNATURE=0x{signature}\n"
    return content + line.encode()
