"""Signed multivariant playlists: a relay can serve none for another, nor for a media playlist."""

import pytest

from streamrp2p.errors import MalformedError, SignatureError
from streamrp2p.playlist import (
    MultivariantPlaylist,
    Variant,
    sign_playlist,
    verify_media_playlist,
    verify_multivariant_playlist,
)
from tests.support.playlists import DOMAIN, ORIGIN, ORIGIN_KEY, POOL_ID, vouched

HEAD = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-STREAMRP2P-MULTIVARIANT\n"
ONE = "#EXT-X-STREAM-INF:BANDWIDTH=400000\n240p.m3u8\n"
PLAIN = f"""{HEAD}#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=3000000,AVERAGE-BANDWIDTH=2500000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970
source.m3u8
{ONE}"""


def verified(data: bytes, pool_id: int = POOL_ID) -> MultivariantPlaylist:
    return verify_multivariant_playlist(data, pool_id=pool_id, domain=DOMAIN, origin=ORIGIN)


def test_verified_playlist_gives_what_was_signed() -> None:
    data = sign_playlist(
        PLAIN, [], pool_id=POOL_ID, domain=DOMAIN, published_at=9, origin_key=ORIGIN_KEY
    )
    assert data.startswith(PLAIN.encode())
    first = Variant("source", 3_000_000, 2_500_000, "avc1.64001f,mp4a.40.2", 1280, 720, 29_970)
    assert verified(data) == MultivariantPlaylist(POOL_ID, 9, (first, Variant("240p", 400_000)))
    with pytest.raises(SignatureError, match="expected the origin"):
        verified(data, pool_id=8)


def test_media_playlist_is_no_multivariant_one_nor_the_other_way_round() -> None:
    media = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-STREAMRP2P-RENDITION:source\n"
    with pytest.raises(MalformedError, match="may have"):
        verified(vouched(media))
    with pytest.raises(MalformedError, match="may have"):
        verify_media_playlist(
            vouched("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-STREAMRP2P-MULTIVARIANT\n"),
            pool_id=POOL_ID, rendition="source", domain=DOMAIN, origin=ORIGIN,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "a rendition at least"),
        (HEAD.replace("#EXT-X-STREAMRP2P-MULTIVARIANT\n", "") + ONE, "must have"),
        (HEAD + "#EXT-X-STREAMRP2P-MULTIVARIANT\n" + ONE, "stands twice"),
        (HEAD + ONE + ONE, "240p twice"),
        (HEAD + "#EXT-X-MEDIA-SEQUENCE:0\n" + ONE, "MEDIA-SEQUENCE is wrong"),
        (HEAD + '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b",URI="c"\n' + ONE, "MEDIA is wrong"),
        (HEAD + '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"\n' + ONE, "is wrong"),
        (HEAD + '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k"\n' + ONE, "is wrong"),
        (HEAD + '#EXT-X-CONTENT-STEERING:SERVER-URI="https://x/"\n' + ONE, "is wrong"),
        (HEAD + ONE.replace("240p", "../240p"), "no rendition's playlist"),
        (HEAD + ONE.replace("240p", "live"), "no rendition's playlist"),
        (HEAD + ONE.replace("240p", "path"), "no rendition's playlist"),
        (HEAD + ONE.replace("240p", "a" * 17), "no rendition's playlist"),
        (HEAD + ONE.replace("240p", "HIGH"), "no rendition's playlist"),
        (HEAD + ONE.replace(".m3u8", ".m3u8?a"), "no rendition's playlist"),
        (HEAD + ONE.replace("240p.m3u8\n", ""), "no rendition's playlist"),
        (HEAD + ONE.replace("240p", "\n240p"), "no rendition's playlist"),
        (HEAD + ONE.replace("BANDWIDTH=400000", 'AUDIO="a"'), "may not have it"),
        (HEAD + ONE.replace("BANDWIDTH=400000", "RESOLUTION=640x360"), "BANDWIDTH of"),
        (HEAD + ONE.replace("400000", "4e5"), "BANDWIDTH of"),
        (HEAD + ONE.replace("400000", "400000,"), "lacks a list"),
        (HEAD + ONE.replace("400000", "400000,RESOLUTION=640"), "WIDTHxHEIGHT"),
        (HEAD + ONE.replace("400000", "400000,FRAME-RATE=fast"), "decimal seconds"),
        (HEAD + ONE.replace("400000", "400000,CODECS=avc1"), "in quotes"),
        (HEAD + ONE.replace("400000", "400000,BANDWIDTH=1"), "has BANDWIDTH twice"),
        (HEAD + ONE + "240p.m3u8\n", "no tag of its own"),
        (HEAD.replace(":9", ":x") + ONE, "VERSION must be"),
        (HEAD.replace("VARIANT", "VARIANT:1") + ONE, "MULTIVARIANT is wrong"),
    ],
)
def test_malformed_playlist_is_refused_though_the_origin_signed_it(text: str, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        verified(vouched(text))
