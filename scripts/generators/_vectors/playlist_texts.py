"""The texts of the playlist vectors: two media playlists, a multivariant one, and what is wrong with others."""

from collections.abc import Iterator

OBJECTS = {
    "source-1.init.mp4": b"the first map",
    "source-2.init.mp4": b"the map of another visit",
    "source-00000040.m4s": b"segment 40",
    "source-00000041.m4s": b"segment 41",
    "source-00000042.0.m4s": b"part 0, ",
    "source-00000042.1.m4s": b"part 1",
    "source-00000042.m4s": b"part 0, part 1",
    "source-00000043.0.m4s": b"part 0 of the next",
    "thumb-00000042.jpg": b"a small picture",
}
_HEAD = """#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,HOLD-BACK=6.000,CAN-SKIP-UNTIL=12
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:40
#EXT-X-DISCONTINUITY-SEQUENCE:1
#EXT-X-STREAMRP2P-RENDITION:source
"""
_OLDEST = """#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:34:46.500Z
#EXT-X-MAP:URI="source-1.init.mp4"
#EXTINF:2.000000,
source-00000040.m4s
#EXTINF:1.5,a title, with a comma
source-00000041.m4s
"""
_NEWEST = """#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T23:34:50+01:00
#EXT-X-MAP:URI="source-2.init.mp4"
#EXT-X-STREAMRP2P-THUMBNAIL:URI="thumb-00000042.jpg"
#EXT-X-PART:DURATION=0.5,URI="source-00000042.0.m4s",INDEPENDENT=YES
#EXT-X-PART:URI="source-00000042.1.m4s",DURATION=0.333333
#EXTINF:0.833333,
source-00000042.m4s
# a comment

#EXT-X-PART:DURATION=0.5,URI="source-00000043.0.m4s",INDEPENDENT=YES
"""
MEDIA = _HEAD + _OLDEST + _NEWEST
DELTA = _HEAD + "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n" + _NEWEST
MULTIVARIANT = """#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAMRP2P-MULTIVARIANT
#EXT-X-STREAM-INF:BANDWIDTH=3000000,AVERAGE-BANDWIDTH=2500000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970
source.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=400000
240p.m3u8
"""
_THUMBNAIL = f'#EXT-X-STREAMRP2P-THUMBNAIL:SHA256={"ab" * 32},BYTES=1,URI="t.jpg"'
_MEDIA_CHANGES = (
    ("no #EXTM3U first", "#EXTM3U\n", "#EXT-X-VERSION:9\n"),
    ("#EXTM3U twice", "#EXT-X-VERSION:9", "#EXTM3U"),
    ("no target duration", "#EXT-X-TARGETDURATION:2\n", ""),
    ("no media sequence", "#EXT-X-MEDIA-SEQUENCE:40\n", ""),
    ("media sequence twice", "#EXT-X-VERSION:9", "#EXT-X-MEDIA-SEQUENCE:40"),
    ("media sequence with a leading zero", "SEQUENCE:40", "SEQUENCE:040"),
    ("no rendition", "#EXT-X-STREAMRP2P-RENDITION:source\n", ""),
    ("rendition twice", "#EXT-X-VERSION:9", "#EXT-X-STREAMRP2P-RENDITION:source"),
    ("a header tag after the first segment", "# a comment", "#EXT-X-VERSION:9"),
    ("a skip after the first segment", "# a comment", "#EXT-X-SKIP:SKIPPED-SEGMENTS=1"),
    ("a skip of nothing", "#EXT-X-VERSION:9", "#EXT-X-SKIP:SKIPPED-SEGMENTS=0"),
    ("server control with an unknown attribute", "CAN-BLOCK-RELOAD=YES", "CAN-SKIP-DATERANGES=YES"),
    ("server control with NO", "RELOAD=YES", "RELOAD=NO"),
    ("an attribute twice", "HOLD-BACK=6.000", "HOLD-BACK=6.000,HOLD-BACK=6.000"),
    ("a trailing comma", "CAN-SKIP-UNTIL=12", "CAN-SKIP-UNTIL=12,"),
    ("parts without a part target", "#EXT-X-PART-INF:PART-TARGET=0.5\n", ""),
    ("a segment without a vouching tag", "#EXT-X-STREAMRP2P-SEGMENT:", "#"),
    ("a part without a vouching tag", "#EXT-X-STREAMRP2P-PART:", "#"),
    ("a map without a vouching tag", "#EXT-X-STREAMRP2P-MAP:", "#"),
    ("a comment after the vouching tag", "#EXTINF:2.000000", "#\n#EXTINF:2.000000"),
    ("an empty line before the name", "2.000000,\n", "2.000000,\n\n"),
    ("a name without a duration", "# a comment", "source-00000050.m4s"),
    ("hash in capitals", "SHA256=", "SHA256=A"),
    ("length of nothing", "BYTES=10", "BYTES=0"),
    ("length beyond all bounds", "BYTES=10", "BYTES=67108865"),
    ("a segment twice", "source-00000041.m4s", "source-00000040.m4s"),
    ("a name for two objects", "source-2.init.mp4", "source-1.init.mp4"),
    ("parts that are not all of their segment", "BYTES=8\n", "BYTES=7\n"),
    ("a part of a byte range", 'INDEPENDENT=YES', 'BYTERANGE="8@0"'),
    ("a map of a byte range", 'URI="source-1.init.mp4"', 'URI="source-1.init.mp4",BYTERANGE="8@0"'),
    ("a byte range", "#EXT-X-DISCONTINUITY\n", "#EXT-X-BYTERANGE:8@0\n"),
    ("a name with a path in it", "source-00000040.m4s", "../source-00000040.m4s"),
    ("a name with a query in it", "source-00000040.m4s", "source-00000040.m4s?x"),
    ("a URL for a name", "source-00000040.m4s", "https://example.org/40.m4s"),
    ("a playlist for a segment", "source-00000040.m4s", "240p.m3u8"),
    ("a duration with an exponent", "#EXTINF:2.000000", "#EXTINF:2e0"),
    ("a duration finer than microseconds", "#EXTINF:2.000000", "#EXTINF:2.0000001"),
    ("no comma after the duration", "#EXTINF:2.000000,", "#EXTINF:2.000000"),
    ("a discontinuity between the parts of a segment", "INDEPENDENT=YES\n", "INDEPENDENT=YES\n#EXT-X-DISCONTINUITY\n"),
    ("a date that is none", "2023-11-14T22", "today"),
    ("a preload hint", "# a comment", '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="source-00000043.1.m4s"'),
    ("a rendition report", "# a comment", '#EXT-X-RENDITION-REPORT:URI="240p.m3u8"'),
    ("a key", "# a comment", '#EXT-X-KEY:METHOD=AES-128,URI="https://example.org/key"'),
    ("a variable", "#EXT-X-VERSION:9", '#EXT-X-DEFINE:NAME="a",VALUE="b"'),
    ("a carriage return", "# a comment", "# a comment\rsource-00000050.m4s"),
    ("a line separator of Unicode", "# a comment", "# a comment\u2028source-00000050.m4s"),
    ("a tab", "# a comment", "#\ta comment"),
    ("a thumbnail of no segment", "# a comment", _THUMBNAIL),
    ("an end twice", "# a comment", "#EXT-X-ENDLIST\n#EXT-X-ENDLIST"),
)  # fmt: skip
_MULTIVARIANT_CHANGES = (
    ("no multivariant tag", "#EXT-X-STREAMRP2P-MULTIVARIANT\n", ""),
    ("multivariant tag twice", "#EXT-X-VERSION:9", "#EXT-X-STREAMRP2P-MULTIVARIANT"),
    ("a media sequence", "#EXT-X-VERSION:9", "#EXT-X-MEDIA-SEQUENCE:0"),
    ("a rendition twice", "240p.m3u8", "source.m3u8"),
    ("a reserved name", "240p.m3u8", "live.m3u8"),
    ("a path for a name", "240p.m3u8", "../240p.m3u8"),
    ("a name in capitals", "240p.m3u8", "240P.m3u8"),
    ("a query", "240p.m3u8", "240p.m3u8?x"),
    ("no bandwidth", "BANDWIDTH=400000", "RESOLUTION=426x240"),
    ("an audio group", "BANDWIDTH=400000", 'BANDWIDTH=400000,AUDIO="a"'),
    ("another audio", "#EXT-X-VERSION:9", '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b",URI="c.m3u8"'),
    ("a session key", "#EXT-X-VERSION:9", '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k"'),
    ("codecs without quotes", "BANDWIDTH=400000", "BANDWIDTH=400000,CODECS=avc1"),
)  # fmt: skip


def refused_media(signed: str) -> Iterator[tuple[str, str]]:
    """Give texts of media playlists, with their vouching tags, that no reader accepts though the origin signs them."""
    yield from _changed(signed, _MEDIA_CHANGES)


def refused_multivariant(signed: str) -> Iterator[tuple[str, str]]:
    """Give the same of multivariant playlists."""
    yield from _changed(signed, _MULTIVARIANT_CHANGES)


def _changed(signed: str, changes: tuple[tuple[str, str, str], ...]) -> Iterator[tuple[str, str]]:
    text = signed[: signed.rindex("#EXT-X-STREAMRP2P-SIGNATURE")]
    for name, old, new in changes:
        if old not in text:
            raise ValueError(f"{name}: the playlist has no {old!r}")
        yield name, text.replace(old, new, 1)
