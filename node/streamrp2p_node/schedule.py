"""The hours of the week in which a node serves. Pure."""

import re
from dataclasses import dataclass

from streamrp2p.foreign_text import printable
from streamrp2p_node.errors import SettingsError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
_ENTRY = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? ([0-9]{2}):([0-5][0-9])-([0-9]{2}):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Minutes of the week, from Monday 00:00, in which viewers are served; a range may go on into the next week."""

    hours: tuple[range, ...]

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read `mon-fri 18:00-23:30, sat 22:00-02:00`; an end before its begin is of the next day.

        Raises SettingsError.
        """
        hours: list[range] = []
        for entry in text.lower().split(","):
            hours += _hours(" ".join(entry.split()))
        return cls(tuple(hours))

    def is_open(self, weekday: int, minute: int) -> bool:
        """Tell whether viewers are served at a `minute` of a day, 0 to 1439; `weekday` is 0 on Monday."""
        now = weekday * DAY_MINUTES + minute
        return any(now in hours or now + WEEK_MINUTES in hours for hours in self.hours)

    def minutes_to_opening(self, weekday: int, minute: int) -> int:
        """Return how long it is until the next hours begin, in minutes."""
        now = weekday * DAY_MINUTES + minute
        return min((hours.start - now) % WEEK_MINUTES for hours in self.hours)


def _hours(entry: str) -> list[range]:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise _wrong(entry)
    first, last = match[1], match[2] or match[1]
    begin, end = _minutes(match[3], match[4], entry), _minutes(match[5], match[6], entry)
    if first not in DAYS or last not in DAYS or begin in (end, DAY_MINUTES):
        raise _wrong(entry)
    length = (end - begin) % DAY_MINUTES or DAY_MINUTES
    days = (DAYS.index(last) - DAYS.index(first)) % 7 + 1
    begins = [((DAYS.index(first) + day) % 7) * DAY_MINUTES + begin for day in range(days)]
    return [range(begin, begin + length) for begin in begins]


def _minutes(hours: str, minutes: str, entry: str) -> int:
    total = int(hours) * 60 + int(minutes)
    if total > DAY_MINUTES:
        raise _wrong(entry)
    return total


def _wrong(entry: str) -> SettingsError:
    return SettingsError(
        f"--schedule is like 'mon-fri 18:00-23:30, sat-sun 00:00-24:00', got {printable(entry, 60)!r}"
    )
