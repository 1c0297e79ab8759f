"""Signed playlists: what the origin writes, what a viewer accepts, and what it refuses without ever crashing."""

import re
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamrp2p.errors import MalformedError, SignatureError
from streamrp2p.numbers import Address, Hash
from streamrp2p.playlist_v0 import (
    MAX_PLAYLIST_BYTES,
    SIGNATURE_TAG,
    LivePlaylist,
    Segment,
    matches,
    sign_playlist,
    verify_playlist,
)
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, Playlist

KEY = bytes([1]) * 32
DOMAIN = Domain(31337, Address(bytes([0xEB]) * 20))
FIRST, SECOND = b"first segment", b"second"
PLAIN = """#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:41
#EXTINF:2.000000,
41.ts
#EXT-X-DISCONTINUITY
#EXTINF:1.5,a title
42.ts
"""
SEGMENTS = [
    ("41.ts", Hash(sha256(FIRST).digest()), len(FIRST)),
    ("42.ts", Hash(sha256(SECOND).digest()), len(SECOND)),
]


def signed(text: str = PLAIN, pool_id: int = 7) -> bytes:
    return sign_playlist(
        text, SEGMENTS, pool_id=pool_id, domain=DOMAIN, published_at=1_700_000_000, origin_key=KEY
    )


def verified(data: bytes, pool_id: int = 7, domain: Domain = DOMAIN) -> LivePlaylist:
    return verify_playlist(data, pool_id=pool_id, domain=domain, origin=address_of(KEY))


def vouched(content: bytes, media_sequence: int = 41, published_at: int = 5) -> bytes:
    """Sign any content as the origin would, well formed or not."""
    message = Playlist(7, media_sequence, Hash(sha256(content).digest()), published_at)
    signature = sign(message.digest(DOMAIN), KEY)
    line = f"{SIGNATURE_TAG}PUBLISHED-AT={published_at},SIGNATURE=0x{signature.hex()}\n"
    return content + line.encode()


def test_signed_playlist_stands_as_the_protocol_says() -> None:
    lines = signed().decode().split("\n")
    digests = [sha256(FIRST).hexdigest(), sha256(SECOND).hexdigest()]
    assert lines[:-2] == [
        "#EXTM3U",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-MEDIA-SEQUENCE:41",
        f"#EXT-X-STREAMRP2P-SEGMENT:SHA256={digests[0]},BYTES=13",
        "#EXTINF:2.000000,",
        "41.ts",
        "#EXT-X-DISCONTINUITY",
        f"#EXT-X-STREAMRP2P-SEGMENT:SHA256={digests[1]},BYTES=6",
        "#EXTINF:1.5,a title",
        "42.ts",
    ]
    assert re.fullmatch(
        r"#EXT-X-STREAMRP2P-SIGNATURE:PUBLISHED-AT=1700000000,SIGNATURE=0x[0-9a-f]{130}", lines[-2]
    )
    assert lines[-1] == ""


def test_verified_playlist_gives_what_was_signed() -> None:
    first = Segment(41, "41.ts", 2_000_000, 13, Hash(sha256(FIRST).digest()))
    second = Segment(42, "42.ts", 1_500_000, 6, Hash(sha256(SECOND).digest()))
    assert verified(signed()) == LivePlaylist(7, 41, 1_700_000_000, (first, second), False)
    assert verified(signed(PLAIN + "#EXT-X-ENDLIST\n")).is_ended


def test_segment_matches_its_own_bytes_alone() -> None:
    segment = verified(signed()).segments[0]
    assert matches(segment, FIRST)
    assert not matches(segment, FIRST + b"x")
    assert not matches(segment, b"x" + FIRST[1:])
    assert not matches(segment, b"")


@given(st.integers(0, len(signed()) - 1), st.integers(1, 255))
def test_no_byte_of_a_playlist_can_be_changed(index: int, change: int) -> None:
    data = bytearray(signed())
    data[index] ^= change
    with pytest.raises((MalformedError, SignatureError)):
        verified(bytes(data))


@pytest.mark.parametrize("cut", [1, 10, 140, 200])
def test_truncated_playlist_is_refused(cut: int) -> None:
    with pytest.raises(SignatureError):
        verified(signed()[:-cut])


def test_playlist_of_another_pool_chain_or_key_is_refused() -> None:
    with pytest.raises(SignatureError, match="expected the origin"):
        verified(signed(), pool_id=8)
    with pytest.raises(SignatureError, match="expected the origin"):
        verified(signed(), domain=Domain(1, DOMAIN.epoch_book))
    other = address_of(bytes([9]) * 32)
    with pytest.raises(SignatureError, match="expected the origin"):
        verify_playlist(signed(), pool_id=7, domain=DOMAIN, origin=other)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"#EXTM3U\n", "one #EXT-X-MEDIA-SEQUENCE"),
        (b"#EXT-X-MEDIA-SEQUENCE:41\n#EXT-X-MEDIA-SEQUENCE:41\n", "one #EXT-X-MEDIA-SEQUENCE"),
        (b"#EXT-X-MEDIA-SEQUENCE:41\r\n", "one #EXT-X-MEDIA-SEQUENCE"),
        (b"#EXT-X-MEDIA-SEQUENCE:41\n41.ts\n", "lacks its hash"),
        (b"#EXT-X-MEDIA-SEQUENCE:41\n#EXTINF:2,\n41.ts\n", "lacks its hash"),
        (b"#EXT-X-MEDIA-SEQUENCE:41\n\xff\n", "not UTF-8"),
        (b"#EXT-X-MEDIA-SEQUENCE:41\n#", "line of its own"),
    ],
)
def test_malformed_playlist_is_refused_though_the_origin_signed_it(
    content: bytes, message: str
) -> None:
    with pytest.raises(MalformedError, match=message):
        verified(vouched(content))


def with_segment(line: str, extinf: str = "#EXTINF:2,", tag: str = "") -> bytes:
    tag = tag or f"#EXT-X-STREAMRP2P-SEGMENT:SHA256={'ab' * 32},BYTES=5"
    return f"#EXT-X-MEDIA-SEQUENCE:41\n{tag}\n{extinf}\n{line}\n".encode()


@pytest.mark.parametrize(
    "name", ["../41.ts", "/41.ts", "a/b.ts", "http://x/41.ts", ".ts", "a" * 129, "ä.ts", "41.ts\r"]
)
def test_segment_name_with_a_path_in_it_is_refused(name: str) -> None:
    with pytest.raises(MalformedError, match="plain name"):
        verified(vouched(with_segment(name)))


@pytest.mark.parametrize("extinf", ["#EXTINF:-1,", "#EXTINF:2", "#EXTINF:1e9,", "#EXTINF:nan,"])
def test_segment_without_a_plain_duration_is_refused(extinf: str) -> None:
    with pytest.raises(MalformedError, match="its duration"):
        verified(vouched(with_segment("41.ts", extinf)))


@pytest.mark.parametrize(
    "tag",
    [
        f"#EXT-X-STREAMRP2P-SEGMENT:SHA256={'AB' * 32},BYTES=5",
        f"#EXT-X-STREAMRP2P-SEGMENT:SHA256={'ab' * 31},BYTES=5",
        f"#EXT-X-STREAMRP2P-SEGMENT:SHA256={'ab' * 32},BYTES=-5",
        f"#EXT-X-STREAMRP2P-SEGMENT:SHA256={'ab' * 32},BYTES={10**15}",
        f"#EXT-X-STREAMRP2P-SEGMENT:BYTES=5,SHA256={'ab' * 32}",
    ],
)
def test_segment_without_a_canonical_hash_tag_is_refused(tag: str) -> None:
    with pytest.raises(MalformedError, match="its hash"):
        verified(vouched(with_segment("41.ts", tag=tag)))


def test_segment_named_twice_is_refused() -> None:
    again = with_segment("41.ts").replace(b"#EXT-X-MEDIA-SEQUENCE:41\n", b"")
    with pytest.raises(MalformedError, match=r"'41\.ts' twice"):
        verified(vouched(with_segment("41.ts") + again))


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_line_ends_at_a_newline_only(separator: str) -> None:
    # Other players see one comment here; a reader that broke the line would see a segment.
    content = f"#EXT-X-MEDIA-SEQUENCE:41\n#comment{separator}41.ts\n".encode()
    assert verified(vouched(content)).segments == ()


def test_over_long_playlist_is_refused_before_it_is_read() -> None:
    filler = b"#" * (MAX_PLAYLIST_BYTES - len(vouched(b"#EXT-X-MEDIA-SEQUENCE:41\n\n")))
    fitting = b"#EXT-X-MEDIA-SEQUENCE:41\n" + filler + b"\n"
    assert verified(vouched(fitting)).segments == ()
    with pytest.raises(MalformedError, match="at most 262144 are read"):
        verified(vouched(b"#" + fitting))


def test_signing_refuses_a_segment_without_hash_or_duration() -> None:
    with pytest.raises(MalformedError, match=r"'43\.ts', whose hash is not known"):
        signed(PLAIN + "#EXTINF:2,\n43.ts\n")
    with pytest.raises(MalformedError, match="without #EXTINF"):
        signed(PLAIN.replace("#EXTINF:1.5,a title\n", ""))


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "#EXTM3U",
                "#EXT-X-MEDIA-SEQUENCE:41",
                "#EXTINF:2,",
                "#EXTINF:0.000001,x",
                "41.ts",
                "42.ts",
                "../x",
                "",
                f"#EXT-X-STREAMRP2P-SEGMENT:SHA256={'ab' * 32},BYTES=5",
                f"{SIGNATURE_TAG}PUBLISHED-AT=1,SIGNATURE=0x{'00' * 65}",
                "#EXT-X-ENDLIST",
            ]
        ),
        st.text(max_size=30),
    ),
    max_size=30,
)


@given(LINES, st.booleans())
@example(["#EXT-X-MEDIA-SEQUENCE:41"], True)
def test_any_text_is_read_or_refused_by_a_named_error(lines: list[str], is_vouched: bool) -> None:
    content = "".join(line + "\n" for line in lines).encode(errors="surrogatepass")
    try:
        playlist = verified(vouched(content) if is_vouched else content)
    except (MalformedError, SignatureError):
        return
    assert is_vouched
    numbers = [each.media_sequence for each in playlist.segments]
    assert numbers == list(range(41, 41 + len(playlist.segments)))


@given(st.binary(max_size=600))
@example(f"{SIGNATURE_TAG}PUBLISHED-AT=1,SIGNATURE=0x{'ff' * 65}\n".encode())
def test_any_bytes_are_refused_by_a_named_error(data: bytes) -> None:
    with pytest.raises((MalformedError, SignatureError)):
        verified(data)


@given(
    st.lists(st.tuples(st.integers(0, 10**12 - 1), st.integers(0, 10**15 - 1)), max_size=20),
    st.integers(0, 10**15 - 1),
    st.integers(0, 10**15 - 1),
)
def test_whatever_is_signed_is_read_back(
    segments: list[tuple[int, int]], media_sequence: int, published_at: int
) -> None:
    text, known = f"#EXT-X-MEDIA-SEQUENCE:{media_sequence}\n", []
    for index, (micros, length) in enumerate(segments):
        text += f"#EXTINF:{micros // 10**6}.{micros % 10**6:06d},\ns{index}.ts\n"
        known.append((f"s{index}.ts", Hash(bytes([index]) * 32), length))
    data = sign_playlist(
        text, known, pool_id=7, domain=DOMAIN, published_at=published_at, origin_key=KEY
    )
    playlist = verified(data)
    assert (playlist.media_sequence, playlist.published_at) == (media_sequence, published_at)
    assert [(each.duration_micros, each.length_bytes) for each in playlist.segments] == segments
