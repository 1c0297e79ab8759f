"""The count of a month's bytes: kept through restarts, and through clocks that are wrong."""

from pathlib import Path

import pytest

from streamrp2p_node.errors import SettingsError
from streamrp2p_node.month import Month

NOVEMBER = 1_795_000_000.0
MONTH_SECONDS = 31 * 86_400


class Clock:
    now = NOVEMBER

    def __call__(self) -> float:
        return self.now


def test_the_count_is_kept_and_begins_anew_with_the_next_month(tmp_path: Path) -> None:
    clock = Clock()
    month = Month(tmp_path / "month.json", clock)
    month.add(1000)
    month.add(-200)
    month.save()
    again = Month(tmp_path / "month.json", clock)
    assert (again.name, again.bytes_served) == ("2026-11", 800)
    clock.now += MONTH_SECONDS
    assert (again.name, again.bytes_served) == ("2026-12", 0)


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        # The last second of 2026, the first of 2027, the last day of a February.
        (1_798_761_599.0, 1),
        (1_798_761_600.0, MONTH_SECONDS),
        (1_803_772_800.0, 86_400),
    ],
)
def test_the_next_month_begins_by_the_calendar(tmp_path: Path, now: float, seconds: int) -> None:
    assert Month(tmp_path / "month.json", lambda: now).seconds_left - seconds in (0, 1)


def test_a_clock_that_is_set_back_gives_no_second_allowance(tmp_path: Path) -> None:
    clock = Clock()
    month = Month(tmp_path / "month.json", clock)
    month.add(1000)
    clock.now -= MONTH_SECONDS
    month.add(1000)
    month.save()
    assert Month(tmp_path / "month.json", clock).bytes_served == 2000
    assert (month.name, month.bytes_served) == ("2026-11", 2000)


def test_one_look_at_a_far_year_does_not_close_the_node_for_good(tmp_path: Path) -> None:
    clock = Clock()
    month = Month(tmp_path / "month.json", clock)
    clock.now += 12 * 12 * MONTH_SECONDS
    month.add(1000)
    assert month.name == "2039-02"
    month.save()
    clock.now = NOVEMBER
    seen = [(month.name, month.bytes_served)]
    again = Month(tmp_path / "month.json", clock)
    again.add(10)
    seen.append((again.name, again.bytes_served))
    clock.now += MONTH_SECONDS
    seen.append((again.name, again.bytes_served))
    assert seen == [("2026-11", 0), ("2026-11", 10), ("2026-12", 0)]


def test_nothing_is_written_while_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "month.json"
    month = Month(path, Clock())
    month.save()
    assert not path.exists()
    month.add(1)
    month.save()
    path.unlink()
    month.save()
    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", '{"month": "2026-11"}', '{"month": "November", "bytesServed": 1}',
        '{"month": "2026-11", "bytesServed": -1}', '{"month": "2026-11", "bytesServed": 1.5}',
        '{"month": "2026-11", "bytesServed": true}', '{"month": 5, "bytesServed": 1}',
    ],
)  # fmt: skip
def test_a_broken_count_is_told_and_not_taken_for_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "month.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match="delete it to count from zero"):
        Month(path, Clock())
