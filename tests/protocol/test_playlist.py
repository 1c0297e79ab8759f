"""Signed media playlists: what the origin writes, what a viewer accepts, and what it refuses without ever crashing."""

import re
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamrp2p.errors import MalformedError, SignatureError
from streamrp2p.numbers import Hash
from streamrp2p.playlist import (
    MAX_OBJECT_BYTES,
    MAX_PLAYLIST_BYTES,
    MediaObject,
    MediaPlaylist,
    Part,
    Segment,
    ServerControl,
    matches,
    sign_playlist,
    verify_media_playlist,
)
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, Playlist
from tests.support.playlists import DOMAIN, ORIGIN, ORIGIN_KEY, POOL_ID, media_object, vouched

MAP = media_object("source-1.init.mp4", b"ftyp moov")
NEXT_MAP = media_object("source-2.init.mp4", b"ftyp moov again")
OLD = media_object("source-00000041.m4s", b"one whole segment")
PART_0 = media_object("source-00000042.0.m4s", b"moof mdat")
PART_1 = media_object("source-00000042.1.m4s", b"moof")
SEGMENT = media_object("source-00000042.m4s", b"moof mdatmoof")
COMING = media_object("source-00000043.0.m4s", b"mdat")
THUMBNAIL = media_object("thumb-00000042.jpg", b"jpeg")
OBJECTS = [MAP, NEXT_MAP, OLD, PART_0, PART_1, SEGMENT, COMING, THUMBNAIL]
PLAIN = """#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,HOLD-BACK=6,CAN-SKIP-UNTIL=12.0
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-STREAMRP2P-RENDITION:source
#EXT-X-PROGRAM-DATE-TIME:2026-11-25T21:46:17.250Z
#EXT-X-MAP:URI="source-1.init.mp4"
#EXTINF:2.000000,
source-00000041.m4s
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-11-25T21:46:20+01:00
#EXT-X-MAP:URI="source-2.init.mp4"
#EXT-X-STREAMRP2P-THUMBNAIL:URI="thumb-00000042.jpg"
#EXT-X-PART:DURATION=0.5,URI="source-00000042.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.333333,URI="source-00000042.1.m4s"
#EXTINF:0.833333,a title
source-00000042.m4s
#EXT-X-PART:DURATION=0.5,URI="source-00000043.0.m4s",INDEPENDENT=YES
"""
HEAD = """#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-STREAMRP2P-RENDITION:source
"""
HASH = f"SHA256={'ab' * 32},BYTES=5"
ONE = f"#EXT-X-STREAMRP2P-SEGMENT:{HASH}\n#EXTINF:2,\n41.m4s\n"


def signed(text: str = PLAIN, pool_id: int = POOL_ID) -> bytes:
    return sign_playlist(
        text, OBJECTS, pool_id=pool_id, domain=DOMAIN, published_at=1_700_000_000,
        origin_key=ORIGIN_KEY,
    )  # fmt: skip


def verified(
    data: bytes, pool_id: int = POOL_ID, domain: Domain = DOMAIN, rendition: str = "source"
) -> MediaPlaylist:
    return verify_media_playlist(
        data, pool_id=pool_id, rendition=rendition, domain=domain, origin=ORIGIN
    )


def test_each_object_is_vouched_for_directly_before_the_line_that_brings_it() -> None:
    lines = signed().decode().split("\n")
    assert lines[9:26] == [
        f"#EXT-X-STREAMRP2P-MAP:SHA256={MAP.sha256.hex()},BYTES=9",
        '#EXT-X-MAP:URI="source-1.init.mp4"',
        f"#EXT-X-STREAMRP2P-SEGMENT:SHA256={OLD.sha256.hex()},BYTES=17",
        "#EXTINF:2.000000,",
        "source-00000041.m4s",
        "#EXT-X-DISCONTINUITY",
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-25T21:46:20+01:00",
        f"#EXT-X-STREAMRP2P-MAP:SHA256={NEXT_MAP.sha256.hex()},BYTES=15",
        '#EXT-X-MAP:URI="source-2.init.mp4"',
        f'#EXT-X-STREAMRP2P-THUMBNAIL:SHA256={THUMBNAIL.sha256.hex()},BYTES=4,URI="thumb-00000042.jpg"',
        f"#EXT-X-STREAMRP2P-PART:SHA256={PART_0.sha256.hex()},BYTES=9",
        '#EXT-X-PART:DURATION=0.5,URI="source-00000042.0.m4s",INDEPENDENT=YES',
        f"#EXT-X-STREAMRP2P-PART:SHA256={PART_1.sha256.hex()},BYTES=4",
        '#EXT-X-PART:DURATION=0.333333,URI="source-00000042.1.m4s"',
        f"#EXT-X-STREAMRP2P-SEGMENT:SHA256={SEGMENT.sha256.hex()},BYTES=13",
        "#EXTINF:0.833333,a title",
        "source-00000042.m4s",
    ]
    assert re.fullmatch(
        r"#EXT-X-STREAMRP2P-SIGNATURE:PUBLISHED-AT=1700000000,SIGNATURE=0x[0-9a-f]{130}", lines[-2]
    )
    assert lines[-1] == ""


def test_verified_playlist_gives_what_was_signed() -> None:
    playlist = verified(signed())
    first = Segment(41, OLD, 2_000_000, map=MAP)
    second = Segment(
        42, SEGMENT, 833_333, (Part(PART_0, 500_000, True), Part(PART_1, 333_333, False)),
        NEXT_MAP, THUMBNAIL, True,
    )  # fmt: skip
    assert playlist == MediaPlaylist(
        pool_id=POOL_ID,
        rendition="source",
        media_sequence=41,
        discontinuity_sequence=3,
        published_at=1_700_000_000,
        target_seconds=2,
        part_target_micros=500_000,
        server_control=ServerControl(True, 12_000_000, 6_000_000, 1_500_000),
        skipped_segments=0,
        segments=(first, second),
        parts=(Part(COMING, 500_000, True),),
        map=NEXT_MAP,
        is_ended=False,
    )
    assert playlist.next_sequence == 43
    assert list(playlist.objects()) == [
        MAP, OLD, NEXT_MAP, THUMBNAIL, PART_0, PART_1, SEGMENT, COMING,
    ]  # fmt: skip
    assert verified(signed(PLAIN + "#EXT-X-ENDLIST\n")).is_ended


def test_object_matches_its_own_bytes_alone() -> None:
    assert matches(MAP, b"ftyp moov")
    assert not matches(MAP, b"ftyp moovx")
    assert not matches(MAP, b"ftyp moov"[::-1])
    assert not matches(MAP, b"")


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
    with pytest.raises(SignatureError, match="expected the origin"):
        verify_media_playlist(
            signed(), pool_id=POOL_ID, rendition="source", domain=DOMAIN,
            origin=address_of(bytes([9]) * 32),
        )  # fmt: skip


@pytest.mark.parametrize("rendition", ["720p", "sourc", "live", "", "Source"])
def test_playlist_of_another_rendition_is_refused(rendition: str) -> None:
    with pytest.raises(MalformedError, match="not of"):
        verified(signed(), rendition=rendition)


def test_rendition_that_is_no_name_is_refused_though_it_is_the_asked_one() -> None:
    with pytest.raises(MalformedError, match="of rendition path"):
        verified(vouched(HEAD.replace("source", "path")), rendition="path")


SKIP = "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n"


def test_delta_update_counts_on_from_what_it_skips() -> None:
    playlist = verified(vouched(HEAD + SKIP + ONE))
    assert (playlist.media_sequence, playlist.skipped_segments) == (41, 3)
    assert [each.media_sequence for each in playlist.segments] == [44]
    assert playlist.next_sequence == 45


PART = f'#EXT-X-STREAMRP2P-PART:{HASH}\n#EXT-X-PART:DURATION=0.5,URI="41.0.m4s"\n'
MAP_LINES = f'#EXT-X-STREAMRP2P-MAP:{HASH}\n#EXT-X-MAP:URI="1.mp4"\n'
THUMB = f'#EXT-X-STREAMRP2P-THUMBNAIL:{HASH},URI="t.jpg"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begin with #EXTM3U"),
        (HEAD.removeprefix("#EXTM3U\n"), "begin with #EXTM3U"),
        ("\ufeff" + HEAD, "begin with #EXTM3U"),
        ("#EXTM3U\n#EXT-X-STREAMRP2P-RENDITION:source\n", "MEDIA-SEQUENCE must be"),
        (HEAD + "#EXT-X-MEDIA-SEQUENCE:41\n", "more than one #EXT-X-MEDIA-SEQUENCE"),
        (HEAD.replace(":41", ":041"), "MEDIA-SEQUENCE must be"),
        (HEAD.replace(":41", ":41 "), "MEDIA-SEQUENCE must be"),
        (HEAD.replace(":41", ":1000000000000000"), "MEDIA-SEQUENCE must be"),
        (HEAD.replace("#EXT-X-TARGETDURATION:2\n", ""), "TARGETDURATION must be"),
        (HEAD.replace("DURATION:2", "DURATION:2.0"), "TARGETDURATION must be"),
        (HEAD.replace("#EXT-X-STREAMRP2P-RENDITION:source\n", ""), "of rendition None"),
        (HEAD + "#EXT-X-STREAMRP2P-RENDITION:source\n", "RENDITION stands twice"),
        (HEAD + "#EXT-X-STREAMRP2P-MULTIVARIANT\n", "MULTIVARIANT is wrong"),
        (HEAD + ONE + "#EXT-X-TARGETDURATION:2\n", "stands twice, or after"),
        (HEAD + ONE + SKIP, "stands twice, or after"),
        (HEAD + SKIP + SKIP, "stands twice, or after"),
        (HEAD + SKIP.replace("3", "0"), "skip a segment at least"),
        (HEAD + SKIP.replace("\n", ',RECENTLY-REMOVED-DATERANGES="a"\n'), "may not have it"),
        (HEAD + "#EXT-X-SKIP\n", "lacks a list"),
        (HEAD + "#EXT-X-VERSION:nine\n", "VERSION must be"),
        (HEAD + "#EXT-X-INDEPENDENT-SEGMENTS:YES\n", "has no value"),
        (HEAD + "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=NO\n", "may only be YES"),
        (HEAD + "#EXT-X-SERVER-CONTROL:HOLD-BACK=six\n", "must be decimal seconds"),
        (HEAD + ONE.replace(f"#EXT-X-STREAMRP2P-SEGMENT:{HASH}\n", ""), "lacks its hash"),
        (HEAD + ONE.replace("#EXTINF", "\n#EXTINF"), "not directly before"),
        (HEAD + ONE.replace("#EXTINF", "#\n#EXTINF"), "not directly before"),
        (HEAD + ONE.replace("#EXTINF:2,\n", ""), "not directly before"),
        (HEAD + ONE.replace("41.m4s", "#EXT-X-DISCONTINUITY\n41.m4s"), "plain name"),
        (HEAD + "41.m4s\n", "no tag of its own"),
        (HEAD + " \n", "no tag of its own"),
        (HEAD + ONE + "42.m4s\n", "no tag of its own"),
        (HEAD + ONE + ONE, r"'41\.m4s' twice"),
        (HEAD + ONE.replace("41.m4s\n", ""), "plain name"),
        (HEAD + MAP_LINES + MAP_LINES.replace("=5", "=6"), "two different objects"),
        (HEAD + MAP_LINES + ONE.replace("41.m4s", "1.mp4").replace("=5", "=6"), "two different"),
        (HEAD + MAP_LINES.split("\n")[1] + "\n", "lacks its hash"),
        (HEAD + MAP_LINES.replace('mp4"', 'mp4",BYTERANGE="5@0"'), "may not have it"),
        (HEAD + MAP_LINES.replace('"1.mp4"', "1.mp4"), "in quotes"),
        (HEAD + PART.split("\n")[1] + "\n", "lacks its hash"),
        (HEAD + PART.replace("m4s", "m4s?x=1"), "plain name"),
        (HEAD + PART.replace('m4s"', 'm4s",BYTERANGE=5@0'), "may not have it"),
        (HEAD + PART.replace('m4s"', 'm4s",GAP=YES'), "may not have it"),
        (HEAD + PART.replace("DURATION=0.5,", ""), "DURATION of #EXT-X-PART"),
        (HEAD + PART + PART, r"'41\.0\.m4s' twice"),
        (HEAD + PART + MAP_LINES, "between the parts"),
        (HEAD + PART + "#EXT-X-DISCONTINUITY\n", "between the parts"),
        (HEAD + PART + ONE.replace("=5", "=6"), "not all of it"),
        (HEAD.replace("#EXT-X-PART-INF:PART-TARGET=0.5\n", "") + PART, "must have #EXT-X-PART-INF"),
        (HEAD + THUMB, "stands before no segment"),
        (HEAD + THUMB + THUMB + ONE, "one thumbnail at most"),
        (HEAD + THUMB.replace(",URI", ",NAME") + ONE, "may not have it"),
        (HEAD + THUMB.replace("t.jpg", "a/t.jpg") + ONE, "plain name"),
        (HEAD + '#EXT-X-KEY:METHOD=AES-128,URI="https://x/key"\n' + ONE, "EXT-X-KEY is wrong"),
        (HEAD + ONE + '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p"\n', "PRELOAD-HINT is wrong"),
        (HEAD + ONE + '#EXT-X-RENDITION-REPORT:URI="240p.m3u8"\n', "RENDITION-REPORT is wrong"),
        (HEAD + "#EXT-X-BYTERANGE:5@0\n" + ONE, "BYTERANGE is wrong"),
        (HEAD + '#EXT-X-DEFINE:NAME="a",VALUE="b"\n' + ONE, "DEFINE is wrong"),
        (HEAD + "#EXT-X-DISCONTINUITY:\n" + ONE, "DISCONTINUITY is wrong"),
        (HEAD + "#EXT-X-PROGRAM-DATE-TIME:today\n" + ONE, "DATE-TIME is wrong"),
        (HEAD + "#EXTM3U\n", "EXTM3U is wrong"),
        (HEAD + ONE + "#EXT-X-ENDLIST\n#EXT-X-ENDLIST\n", "ENDLIST is wrong"),
    ],
)
def test_malformed_playlist_is_refused_though_the_origin_signed_it(text: str, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        verified(vouched(text))


@pytest.mark.parametrize("character", ["\r", "\t", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_character_that_ends_a_line_for_some_players_alone_is_refused(character: str) -> None:
    with pytest.raises(MalformedError, match="line 6 has a character"):
        verified(vouched(f"{HEAD}#comment{character}41.m4s\n"))


def test_text_that_is_not_utf8_is_refused() -> None:
    content = HEAD.encode() + b"#\xff\n"
    message = Playlist(POOL_ID, 41, Hash(sha256(content).digest()), 5)
    signature = sign(message.digest(DOMAIN), ORIGIN_KEY).hex()
    line = f"#EXT-X-STREAMRP2P-SIGNATURE:PUBLISHED-AT=5,SIGNATURE=0x{signature}\n"
    with pytest.raises(MalformedError, match="not UTF-8"):
        verified(content + line.encode())


@pytest.mark.parametrize(
    "name",
    ["../41.ts", "/41.ts", "a/b.ts", "http://x/41.ts", ".ts", "a" * 129, "ä.ts", "%2e%2e", "path", "240p.m3u8"],
)  # fmt: skip
def test_segment_name_with_a_path_in_it_or_of_something_else_is_refused(name: str) -> None:
    with pytest.raises(MalformedError, match="plain name"):
        verified(vouched(HEAD + ONE.replace("41.m4s", name)))


@pytest.mark.parametrize("extinf", ["-1,", "2", "1e9,", "nan,", "2.0000001,", "1.,", ".5,", " 2,"])
def test_segment_without_a_plain_duration_is_refused(extinf: str) -> None:
    with pytest.raises(MalformedError, match="EXTINF must be"):
        verified(vouched(HEAD + ONE.replace("2,", extinf)))


@pytest.mark.parametrize(
    "value",
    [
        f"SHA256={'AB' * 32},BYTES=5",
        f"SHA256={'ab' * 31},BYTES=5",
        f"SHA256={'ab' * 32},BYTES=-5",
        f"SHA256={'ab' * 32},BYTES=0",
        f"SHA256={'ab' * 32},BYTES=05",
        f"SHA256={'ab' * 32},BYTES={10**15}",
        f"BYTES=5,SHA256={'ab' * 32}",
        f"SHA256={'ab' * 32},BYTES=5,X=1",
        "",
    ],
)
def test_segment_without_a_canonical_hash_tag_is_refused(value: str) -> None:
    with pytest.raises(MalformedError, match="lacks its hash"):
        verified(vouched(HEAD + ONE.replace(HASH, value)))


def test_object_beyond_all_bounds_is_refused() -> None:
    def of(length: int) -> bytes:
        return vouched(HEAD + ONE.replace("BYTES=5", f"BYTES={length}"))

    assert verified(of(MAX_OBJECT_BYTES)).segments[0].object.length_bytes == 64 * 1024 * 1024
    with pytest.raises(MalformedError, match="at most 67108864 are read"):
        verified(of(MAX_OBJECT_BYTES + 1))


def test_over_long_playlist_is_refused_before_it_is_read() -> None:
    filler = "#" * (MAX_PLAYLIST_BYTES - len(vouched(HEAD + "\n")))
    assert verified(vouched(HEAD + filler + "\n")).segments == ()
    with pytest.raises(MalformedError, match="at most 1048576 are read"):
        verified(vouched(HEAD + "#" + filler + "\n"))


def test_signature_line_inside_a_line_is_refused() -> None:
    data = vouched(HEAD)
    at = data.rindex(b"#EXT-X-STREAMRP2P-SIGNATURE")
    with pytest.raises(MalformedError, match="line of its own"):
        verified(data[: at - 1] + data[at:])


def test_signing_refuses_an_object_without_hash() -> None:
    for line in (
        "#EXTINF:2,\n43.m4s",
        '#EXT-X-MAP:URI="43.m4s"',
        '#EXT-X-PART:DURATION=1,URI="43.m4s"',
        '#EXT-X-STREAMRP2P-THUMBNAIL:URI="43.m4s"',
    ):
        with pytest.raises(MalformedError, match=r"'43\.m4s', whose hash is not known"):
            signed(f"{PLAIN}{line}\n")


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [*(HEAD + ONE + PART + MAP_LINES + THUMB + SKIP).splitlines(), "#EXT-X-ENDLIST", "../x"]
        ),
        st.sampled_from([HEAD.strip(), ONE.strip(), PART.strip(), MAP_LINES.strip()]),
        st.text(max_size=30),
    ),
    max_size=30,
)


@given(LINES, st.booleans())
@example([HEAD.strip(), ONE.strip()], True)
def test_any_text_is_read_or_refused_by_a_named_error(lines: list[str], is_vouched: bool) -> None:
    text = "\n".join(lines).encode(errors="replace").decode()
    try:
        playlist = verified(vouched(text) if is_vouched else text.encode())
    except (MalformedError, SignatureError):
        return
    assert is_vouched
    first = 41 + playlist.skipped_segments
    numbers = [each.media_sequence for each in playlist.segments]
    assert numbers == list(range(first, first + len(numbers)))


@given(st.binary(max_size=600))
@example(b"#EXT-X-STREAMRP2P-SIGNATURE:PUBLISHED-AT=1,SIGNATURE=0x" + b"ff" * 65 + b"\n")
def test_any_bytes_are_refused_by_a_named_error(data: bytes) -> None:
    with pytest.raises((MalformedError, SignatureError)):
        verified(data)


@given(
    st.lists(st.tuples(st.integers(0, 10**12 - 1), st.integers(1, MAX_OBJECT_BYTES)), max_size=20),
    st.integers(0, 10**15 - 1),
    st.integers(0, 10**15 - 1),
)
def test_whatever_is_signed_is_read_back(
    segments: list[tuple[int, int]], media_sequence: int, published_at: int
) -> None:
    text, known = HEAD.replace(":41", f":{media_sequence}"), []
    for index, (micros, length) in enumerate(segments):
        text += f"#EXTINF:{micros // 10**6}.{micros % 10**6:06d},\ns{index}.m4s\n"
        known.append(MediaObject(f"s{index}.m4s", length, Hash(bytes([index]) * 32)))
    data = sign_playlist(
        text, known, pool_id=POOL_ID, domain=DOMAIN, published_at=published_at,
        origin_key=ORIGIN_KEY,
    )  # fmt: skip
    playlist = verified(data)
    assert (playlist.media_sequence, playlist.published_at) == (media_sequence, published_at)
    assert [(each.duration_micros, each.object.length_bytes) for each in playlist.segments] == (
        segments
    )
    assert list(playlist.objects()) == known
