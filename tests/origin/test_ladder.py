"""Ladders: read as operators write them, refused with what to write instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p_origin.ladder import DEFAULT_LADDER, Rung, parse
from streamrp2p_origin.packaging import Packaging


def test_default_ladder() -> None:
    assert parse(DEFAULT_LADDER).rungs == (
        Rung("source", None, None),
        Rung("480p", 480, 1200),
        Rung("240p", 240, 400),
    )
    assert parse("source:3000, 720p:2500").rungs == (
        Rung("source", None, 3000),
        Rung("720p", 720, 2500),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'' is no rendition"),
        ("source,", "'' is no rendition"),
        ("480p:1200", "a ladder begins with source"),
        ("240p:400,source", "a ladder begins with source"),
        ("source,480p", "'480p' lacks its bit rate in kbit/s, such as 480p:1200"),
        ("source,480p:1200,480p:900", "each rendition may stand once"),
        ("source,source", "each rendition may stand once"),
        ("source,480:1200", "'480:1200' is no rendition: write source, or height and kbit/s"),
        ("source,480p:1.2", "'480p:1.2' is no rendition"),
        ("source,32p:100", "heights of 64 to 4320 pixels"),
        ("source,480p:10", "bit rates of 50 to 50000 kbit/s"),
        ("source:1", "bit rates of 50 to 50000 kbit/s"),
        ("source" + "".join(f",{100 + each}p:100" for each in range(6)), "at most 6 renditions"),
    ],
)
def test_ladder_that_cannot_be_is_refused_with_what_to_write(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(text)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert parse(text).rungs[0].name == "source"
    except ValueError:
        return


def test_renditions_are_smaller_than_the_source() -> None:
    ladder = parse(DEFAULT_LADDER)
    assert [each.name for each in ladder.fitting(1080)] == ["source", "480p", "240p"]
    assert [each.name for each in ladder.fitting(480)] == ["source", "240p"]
    assert [each.name for each in ladder.fitting(240)] == ["source"]


def test_rendition_that_players_watch_stays_but_grows_no_larger_than_the_source() -> None:
    fitting = parse(DEFAULT_LADDER).fitting(180, kept={"source", "240p"})
    assert fitting == (Rung("source", None, None), Rung("240p", 180, 400))


def test_lengths_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValueError, match="choose a smaller --part-seconds"):
        Packaging(segment_seconds=1, part_seconds=1.5)
    with pytest.raises(ValueError, match="4000 segments at most, 4000 s: choose a smaller --dvr"):
        Packaging(segment_seconds=1, dvr_seconds=4001)
