"""The hours of the week in which a node serves."""

import pytest

from streamrp2p_node.errors import SettingsError
from streamrp2p_node.schedule import DAY_MINUTES, Schedule

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)


def at(hours: int, minutes: int = 0) -> int:
    return hours * 60 + minutes


def test_evenings_of_the_week_and_whole_weekends() -> None:
    schedule = Schedule.parse("mon-fri 18:00-23:30, sat-sun 00:00-24:00")
    for day in (MON, WED, FRI):
        assert [schedule.is_open(day, minute) for minute in (at(17, 59), at(18), at(23, 29))] == [
            False, True, True,
        ]  # fmt: skip
        assert not schedule.is_open(day, at(23, 30))
    assert all(schedule.is_open(SUN, minute) for minute in range(DAY_MINUTES))


def test_a_night_goes_on_into_the_next_day_and_the_next_week() -> None:
    schedule = Schedule.parse("Sun 22:00-02:00")
    assert schedule.is_open(SUN, at(23))
    assert schedule.is_open(MON, at(1, 59))
    assert not schedule.is_open(MON, at(2))
    assert not schedule.is_open(SUN, at(1))


def test_the_next_opening_is_told_in_minutes_also_across_the_week() -> None:
    schedule = Schedule.parse("mon 18:00-20:00, thu 06:30-07:00")
    assert schedule.minutes_to_opening(MON, at(17, 59)) == 1
    assert schedule.minutes_to_opening(THU, at(5)) == 90
    assert schedule.minutes_to_opening(SUN, at(18)) == DAY_MINUTES


def test_days_go_round_the_week() -> None:
    schedule = Schedule.parse("sat-mon 10:00-11:00")
    assert [schedule.is_open(day, at(10)) for day in range(7)] == [
        True, False, False, False, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", "mon", "18:00-20:00", "mon 18-20", "mon 18:00-18:00", "mon 25:00-26:00", "mon 18:60-19:00",
        "mon 24:00-01:00", "mon 18:00-24:30", "abc 18:00-19:00", "mon-xyz 18:00-19:00", "mon 18:00-19:00,",
        "mon 18:00-19:00; tue 18:00-19:00", "mon 1\u0668:00-19:00",
    ],
)  # fmt: skip
def test_what_says_no_hours_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--schedule is like"):
        Schedule.parse(text)
