"""What a probe finds, whom it visits and how fast a stream is: the rules alone."""

from dataclasses import replace
from random import Random

import pytest

from streamrp2p.numbers import Address, Hash
from streamrp2p.playlist import MediaObject, MediaPlaylist, Segment, ServerControl
from streamrp2p.viewer.report import Reason
from streamrp2p_coordinator.probing.outcome import Control, Outcome, Visit, Wrong, facts, judge
from streamrp2p_coordinator.probing.rates import stream_rate
from streamrp2p_coordinator.probing.schedule import (
    Candidate,
    choose,
    odds,
    pause_seconds,
    watch_seconds,
)

GOOD = Control(is_good=True, bytes_per_second=900_000, others_answer=True)
WRONG = Wrong("source-7.m4s", 1000, Hash(b"\x01" * 32), Hash(b"\x02" * 32))
SERVED = Visit(30, objects=40, bytes_received=1_000_000, transfer_micros=2_000_000)
NOTHING = Visit(3, fault=Reason.UNREACHABLE)
NODES = [Address(bytes([number]) * 20) for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("visit", "outcome"),
    [
        (SERVED, Outcome.OK),
        (replace(SERVED, stalled_millis=7_500), Outcome.OK),
        (replace(SERVED, stalled_millis=7_501), Outcome.SLOW),
        (replace(SERVED, fault=Reason.UNREACHABLE), Outcome.SLOW),
        (replace(SERVED, fault=Reason.STALE_PLAYLIST), Outcome.SLOW),
        (replace(SERVED, fault=Reason.CORRUPT_OBJECT, wrong=WRONG), Outcome.CORRUPT),
        (NOTHING, Outcome.UNSERVED),
        (replace(NOTHING, fault=Reason.REFUSED, slug="ticket-invalid"), Outcome.UNSERVED),
        (Visit(30), Outcome.UNSERVED),
    ],
)
def test_a_node_answers_for_what_the_origin_gives_at_the_same_time(
    visit: Visit, outcome: Outcome
) -> None:
    assert judge(visit, GOOD) is outcome


@pytest.mark.parametrize(
    "visit",
    [NOTHING, replace(SERVED, stalled_millis=20_000), replace(SERVED, fault=Reason.UNREACHABLE)],
)
@pytest.mark.parametrize(
    "control", [Control(is_good=False, others_answer=True), replace(GOOD, others_answer=False)]
)
def test_nobody_is_blamed_when_the_origin_or_the_own_network_fails(
    visit: Visit, control: Control
) -> None:
    assert judge(visit, control) is Outcome.VOID


def test_the_only_node_of_all_answers_for_itself() -> None:
    assert judge(NOTHING, replace(GOOD, others_answer=None)) is Outcome.UNSERVED


def test_wrong_bytes_that_the_origin_serves_as_well_are_the_origins_fault() -> None:
    visit = replace(NOTHING, fault=Reason.CORRUPT_OBJECT, wrong=WRONG)

    assert judge(visit, Control(is_good=False)) is Outcome.VOID
    # What was signed and what came do not depend on who else is up.
    assert judge(visit, replace(GOOD, others_answer=False)) is Outcome.CORRUPT


@pytest.mark.parametrize("slug", ["node-full", "off-schedule", "over-data-cap", "draining"])
def test_a_node_may_say_openly_that_it_takes_nobody(slug: str) -> None:
    assert judge(Visit(1, fault=Reason.REFUSED, slug=slug), GOOD) is Outcome.VOID
    assert judge(replace(SERVED, fault=Reason.REFUSED, slug=slug), GOOD) is Outcome.OK


def test_the_facts_of_a_verdict_name_no_session() -> None:
    visit = replace(SERVED, fault=Reason.CORRUPT_OBJECT, wrong=WRONG, first_byte_millis=12)

    assert facts(visit, GOOD) == {
        "objects": 40,
        "firstByteMillis": 12,
        "stalledMillis": 0,
        "originBytesPerSecond": 900_000,
        "fault": "corrupt-object",
        "object": "source-7.m4s",
        "objectBytes": 1000,
        "signedSha256": "0x" + "01" * 32,
        "gotSha256": "0x" + "02" * 32,
    }


def test_who_earns_more_or_was_not_seen_for_long_or_failed_is_visited_more() -> None:
    now = 1_000_000
    even = [Candidate(node, 10, now - 100) for node in NODES]

    assert odds(even, now) == [50.0] * 4
    assert odds([even[0], replace(even[1], weight=30)], now) == [75.0, 125.0]
    assert odds([even[0], replace(even[1], probed_at=now - 300)], now) == [100.0, 300.0]
    assert odds([even[0], replace(even[1], is_doubtful=True)], now) == [100.0, 400.0]
    assert odds([Candidate(NODES[0])], now) == [2 * 86_400.0]
    # A clock that was set back makes nobody impossible.
    assert odds([Candidate(NODES[0], 0, now + 50)], now) == [2.0]


def test_every_node_is_visited_and_none_can_tell_when() -> None:
    chance = Random(7)  # noqa: S311 - a test that can be repeated
    candidates = [Candidate(node, 10, 900) for node in NODES]
    chosen = [choose(candidates, 1000, chance) for _ in range(400)]
    pauses = [pause_seconds(60, chance) for _ in range(4000)]

    assert choose([], 1000, chance) is None
    assert all(chosen.count(each) > 60 for each in candidates)
    assert 57 < sum(pauses) / len(pauses) < 63
    # Having waited for a minute does not make the next minute likelier.
    late = [pause - 60 for pause in pauses if pause > 60]
    assert 55 < sum(late) / len(late) < 65


def test_probes_watch_as_people_do_within_bounds() -> None:
    chance = Random(7)  # noqa: S311 - a test that can be repeated
    seconds = sorted(watch_seconds(45, 240, chance) for _ in range(1001))

    assert 40 < seconds[500] < 50
    assert seconds[0] >= 4
    assert seconds[-1] <= 240
    assert seconds[100] < 25
    assert seconds[900] > 90


def playlist(*lengths: int, seconds: int = 2, rendition: str = "source") -> MediaPlaylist:
    segments = tuple(
        Segment(number, MediaObject(f"{number}.m4s", length, Hash(bytes(32))), seconds * 1_000_000)
        for number, length in enumerate(lengths)
    )
    return MediaPlaylist(
        1, rendition, 0, 0, 5, seconds, None, ServerControl(), 0, segments, (), None,
        is_ended=False,
    )  # fmt: skip


def test_the_rate_is_that_of_the_busiest_ten_seconds_of_the_largest_rendition() -> None:
    calm, busy = [100] * 20, [100] * 8 + [900] * 5 + [100] * 8

    assert stream_rate([playlist(*calm)]) == 50
    assert stream_rate([playlist(*busy), playlist(*calm, rendition="low")]) == 450
    assert stream_rate([playlist(100, 101, 100)]) == 51
    assert stream_rate([playlist(*calm, seconds=4)]) == 25


def test_of_a_stream_that_lists_hardly_anything_no_rate_is_known() -> None:
    assert stream_rate([]) is None
    assert stream_rate([playlist(100, seconds=1)]) is None


def test_a_thumbnail_counts_with_its_segment() -> None:
    thumbnail = MediaObject("t.jpg", 20, Hash(bytes(32)))
    listed = playlist(100, 100)
    segments = tuple(replace(each, thumbnail=thumbnail) for each in listed.segments)

    assert stream_rate([replace(listed, segments=segments)]) == 60
