"""Numbers of segments and visits, reserved on the disk before they are used: none is given twice, whatever happens."""

import json
from collections.abc import Callable
from pathlib import Path

import structlog

from streamrp2p.durable import StorageError, write_atomically

_log = structlog.get_logger()

NUMBERS_FILE = "numbers.json"
RESERVED = 100
"""How many numbers a write reserves; a full disk is then no obstacle for some minutes."""


class Numbering:
    """Gives the numbers of an origin's folder. `clock` gives Unix seconds."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._path = folder / NUMBERS_FILE
        self.sequence, self.visit = self._read(clock)
        """The next free ones. The visit's is also how many discontinuities came before it."""
        self._reserved = (self.sequence, self.visit)

    def reserve(self) -> None:
        """See to it that some numbers lie ahead. Raises StorageError when the disk holds none any more."""
        sequence, visit = self._reserved
        left = min(sequence - self.sequence, visit - self.visit)
        if left > RESERVED // 2:
            return
        reserved = (self.sequence + RESERVED, self.visit + RESERVED)
        content = json.dumps({"nextSequence": reserved[0], "nextVisit": reserved[1]})
        try:
            write_atomically(self._path, content.encode())
        except StorageError:
            if left <= 0:
                raise
            return
        self._reserved = reserved

    def _read(self, clock: Callable[[], float]) -> tuple[int, int]:
        try:
            numbers = json.loads(self._path.read_bytes())
            return int(numbers["nextSequence"]), int(numbers["nextVisit"])
        except FileNotFoundError:
            pass
        except (ValueError, TypeError, KeyError):
            _log.warning("numbers_unreadable", path=str(self._path))
        # Relays keep objects by name. The time is beyond every number that an origin which lost its folder gave.
        return int(clock()), 0
