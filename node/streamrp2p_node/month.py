"""How many bytes the node served in this calendar month, kept through restarts."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from streamrp2p.durable import write_atomically
from streamrp2p_node.errors import SettingsError

DAY_SECONDS = 86_400
"""Months begin with days, in Unix time as well: the calendar is looked at once a day."""


class Month:
    """Counts by months of UTC, such as `2026-11`.

    A clock that is set back by a month or less begins no month anew. By more, what was kept is of a clock that was
    wrong: else one look at a far year would count all months after it as one.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """Go on from what `path` holds; raises SettingsError when it cannot be read."""
        self._path = path
        self._clock = clock
        self._day = float("nan")
        self._name, self._bytes = _read(path)
        self._saved = (self._name, self._bytes)

    @property
    def name(self) -> str:
        """The month that is counted."""
        self._turn()
        return self._name

    @property
    def bytes_served(self) -> int:
        """How many bytes left in this month."""
        self._turn()
        return self._bytes

    @property
    def seconds_left(self) -> int:
        """How long until the next month begins, by the clock."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        # A day of the next month: 32 days after the first of this one.
        later = now.replace(day=1) + timedelta(days=32)
        begin = later.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return int((begin - now).total_seconds()) + 1

    def add(self, length_bytes: int) -> None:
        """Count bytes; negative for what did not leave after all."""
        self._turn()
        self._bytes = max(self._bytes + length_bytes, 0)

    def save(self) -> None:
        """Write the count to the disk if it changed; raises StorageError."""
        state = (self._name, self._bytes)
        if state != self._saved:
            body = {"month": self._name, "bytesServed": self._bytes}
            write_atomically(self._path, json.dumps(body).encode())
            self._saved = state

    def _turn(self) -> None:
        now = self._clock()
        if now // DAY_SECONDS == self._day:
            return
        self._day = now // DAY_SECONDS
        name = time.strftime("%Y-%m", time.gmtime(now))
        if not self._name or _number(name) - _number(self._name) not in (-1, 0):
            self._name, self._bytes = name, 0


def _number(name: str) -> int:
    """Count the months up to this one."""
    year, month = name.split("-")
    return 12 * int(year) + int(month)


def _read(path: Path) -> tuple[str, int]:
    try:
        kept = json.loads(path.read_text())
        name, count = kept["month"], kept["bytesServed"]
        time.strptime(name, "%Y-%m")
        if type(count) is not int or count < 0:
            raise ValueError("bytesServed must be a natural number")
    except FileNotFoundError:
        return "", 0
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{path} does not tell what was served this month ({error}); "
            "write it anew, or delete it to count from zero"
        ) from error
    return name, count
