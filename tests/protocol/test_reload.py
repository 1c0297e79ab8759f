"""The directives of blocking reload and delta updates, by the letter of RFC 8216bis 6.2.5."""

import pytest

from streamrp2p.errors import MalformedError
from streamrp2p.playlist import Edge, Reload, read_reload, reload_after

EDGE = Edge(sequence=50, parts=2, parts_before=4, part_target_micros=500_000)
JUST_COMPLETED = Edge(sequence=50, parts=0, parts_before=12, part_target_micros=500_000)
WITHOUT_PARTS = Edge(sequence=50, parts=0, parts_before=0, part_target_micros=None)
ENDED = Edge(sequence=50, parts=0, parts_before=4, part_target_micros=500_000, is_ended=True)


@pytest.mark.parametrize(
    ("pairs", "reload"),
    [
        ([], Reload()),
        ([("_HLS_msn", "7")], Reload(7)),
        ([("_HLS_part", "0"), ("_HLS_msn", "7")], Reload(7, 0)),
        ([("_HLS_skip", "YES")], Reload(is_delta=True)),
        ([("_HLS_skip", "v2")], Reload(is_delta=True)),
        ([("_HLS_push", "1"), ("t", "x"), ("t", "y")], Reload()),
    ],
)
def test_directives_are_read_and_others_passed_over(
    pairs: list[tuple[str, str]], reload: Reload
) -> None:
    assert read_reload(pairs) == reload
    assert read_reload(reload.directives().items()) == reload


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
    with pytest.raises(MalformedError, match=pairs[-1][0]):
        read_reload(pairs)


@pytest.mark.parametrize(
    ("reload", "edge", "is_met"),
    [
        (Reload(), EDGE, True),
        (Reload(49), EDGE, True),
        (Reload(50), EDGE, False),
        (Reload(50, 1), EDGE, True),
        (Reload(50, 2), EDGE, False),
        (Reload(51, 0), EDGE, False),
        # A part beyond a segment's last stands for the next segment's first.
        (Reload(49, 3), EDGE, True),
        (Reload(49, 4), EDGE, True),
        (Reload(49, 11), JUST_COMPLETED, True),
        (Reload(49, 12), JUST_COMPLETED, False),
        # Which was the last part of an old segment is not known any more: it is over in any case.
        (Reload(20, 99), JUST_COMPLETED, True),
        (Reload(49, 4), WITHOUT_PARTS, True),
        (Reload(50, 0), WITHOUT_PARTS, False),
        (Reload(50), ENDED, True),
    ],
)
def test_request_is_met_once_what_it_names_is_listed(
    reload: Reload, edge: Edge, is_met: bool
) -> None:
    assert reload.is_met_by(edge) is is_met


@pytest.mark.parametrize(
    ("reload", "edge", "is_too_far"),
    [
        (Reload(51), EDGE, False),
        (Reload(52), EDGE, True),
        (Reload(10**14), EDGE, True),
        (Reload(52), ENDED, False),
        # Half a second each: three seconds are six parts.
        (Reload(50, 7), EDGE, False),
        (Reload(50, 8), EDGE, True),
        (Reload(51, 5), EDGE, False),
        (Reload(51, 6), EDGE, True),
        (Reload(52, 0), EDGE, True),
        (Reload(40, 99), EDGE, False),
        # A player that was told of twelve parts asks for the thirteenth when the segment is just complete.
        (Reload(49, 12), JUST_COMPLETED, False),
        (Reload(50, 99), WITHOUT_PARTS, False),
        # Parts of two seconds: three of them.
        (Reload(50, 2), Edge(50, 0, 1, 2_000_000), False),
        (Reload(50, 3), Edge(50, 0, 1, 2_000_000), True),
        # A limit that is no whole number of parts is rounded up.
        (Reload(50, 7), Edge(50, 0, 1, 400_000), False),
        (Reload(50, 8), Edge(50, 0, 1, 400_000), True),
    ],
)
def test_reach_is_two_segments_and_three_seconds_of_parts(
    reload: Reload, edge: Edge, is_too_far: bool
) -> None:
    assert reload.is_too_far_for(edge) is is_too_far


def test_what_comes_after_an_edge_is_its_next_part_or_segment() -> None:
    assert reload_after(EDGE, is_delta=True) == Reload(50, 2, is_delta=True)
    assert reload_after(WITHOUT_PARTS, is_delta=False) == Reload(50)
    assert not reload_after(EDGE, is_delta=False).is_met_by(EDGE)
