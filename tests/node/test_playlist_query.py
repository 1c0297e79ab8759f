"""The directives of blocking reload and delta updates, by the letter of RFC 8216bis 6.2.5."""

import pytest

from streamrp2p.playlist import MediaPlaylist, verify_media_playlist
from streamrp2p_node.errors import Reason, RefusedError
from streamrp2p_node.playlist_query import PlaylistQuery, after, read_query
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import DOMAIN, ORIGIN, POOL


def playlist(count: int, parts: int, *, is_delta: bool = False) -> MediaPlaylist:
    return verify_media_playlist(
        FakeOrigin(count=count, parts=parts).playlist(is_delta=is_delta),
        pool_id=POOL, rendition="source", domain=DOMAIN, origin=ORIGIN,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pairs", "query"),
    [
        ([], PlaylistQuery()),
        ([("_HLS_msn", "7")], PlaylistQuery(7)),
        ([("_HLS_part", "0"), ("_HLS_msn", "7")], PlaylistQuery(7, 0)),
        ([("_HLS_skip", "YES")], PlaylistQuery(is_delta=True)),
        ([("_HLS_skip", "v2")], PlaylistQuery(is_delta=True)),
        ([("_HLS_push", "1"), ("t", "x"), ("t", "y")], PlaylistQuery()),
    ],
)
def test_directives_are_read_and_others_passed_over(
    pairs: list[tuple[str, str]], query: PlaylistQuery
) -> None:
    assert read_query(pairs) == query


@pytest.mark.parametrize(
    "pairs",
    [
        [("_HLS_msn", "")],
        [("_HLS_msn", "-1")],
        [("_HLS_msn", "1.5")],
        [("_HLS_msn", "٣")],
        [("_HLS_msn", "1" * 16)],
        [("_HLS_msn", "1"), ("_HLS_msn", "1")],
        [("_HLS_part", "1")],
        [("_HLS_msn", "1"), ("_HLS_part", "x")],
        [("_HLS_skip", "NO")],
    ],
)
def test_malformed_directives_are_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(RefusedError) as refused:
        read_query(pairs)
    assert refused.value.reason is Reason.BAD_QUERY


@pytest.mark.parametrize(
    ("query", "count", "parts", "is_met"),
    [
        (PlaylistQuery(), 4, 0, True),
        (PlaylistQuery(3), 4, 0, True),
        (PlaylistQuery(4), 4, 3, False),
        (PlaylistQuery(4, 1), 4, 1, False),
        (PlaylistQuery(4, 1), 4, 2, True),
        (PlaylistQuery(4, 1), 5, 0, True),
        # A part beyond a segment's last stands for the next segment's first.
        (PlaylistQuery(3, 4), 4, 0, False),
        (PlaylistQuery(3, 4), 4, 1, True),
        # Which was the last part of an old segment is not known any more: it is over in any case.
        (PlaylistQuery(0, 9), 4, 0, True),
    ],
)
def test_query_is_met_once_what_it_names_is_listed(
    query: PlaylistQuery, count: int, parts: int, is_met: bool
) -> None:
    assert query.is_met_by(playlist(count, parts)) is is_met
    assert query.is_met_by(playlist(count, parts, is_delta=True)) is is_met


@pytest.mark.parametrize(
    ("query", "is_too_far"),
    [
        (PlaylistQuery(5), False),
        (PlaylistQuery(6), True),
        (PlaylistQuery(4, 13), False),
        (PlaylistQuery(4, 14), True),
        (PlaylistQuery(5, 11), False),
        (PlaylistQuery(5, 12), True),
        (PlaylistQuery(3, 500), False),
    ],
)
def test_reach_is_two_segments_and_three_seconds_of_parts(
    query: PlaylistQuery, is_too_far: bool
) -> None:
    assert query.is_too_far_for(playlist(4, 2)) is is_too_far


def test_what_comes_after_a_playlist_is_its_next_part_or_segment() -> None:
    assert after(playlist(4, 2), is_delta=True).text() == "?_HLS_msn=4&_HLS_part=2&_HLS_skip=YES"
    assert PlaylistQuery(4).text() == "?_HLS_msn=4"
    assert PlaylistQuery().text() == ""
