"""Leaving without a break for those who watch: new viewers are sent away, the others are asked to move."""

import asyncio
from collections.abc import Callable

QUIET_SECONDS = 2.0
"""Players ask for something about every second: who was not heard of for so long has moved."""
_LOOK_SECONDS = 0.2


class Drain:
    """Whether the node sends its viewers away, and whether they have gone."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._heard_at = float("-inf")
        self.is_on = False

    def hear(self) -> None:
        """Note that a viewer asked for something."""
        self._heard_at = self._monotonic()

    def begin(self) -> None:
        """Send viewers away from now on."""
        self.is_on = True

    async def until_quiet(self, max_seconds: float, is_answering: Callable[[], bool]) -> bool:
        """Wait until no viewer asks any more, `max_seconds` at most; tell whether all have gone.

        Nobody has while `is_answering`: a playlist is held, or a download goes on, for longer than viewers are silent.
        """
        gives_up_at = self._monotonic() + max_seconds
        while is_answering() or self._monotonic() - self._heard_at < QUIET_SECONDS:
            if self._monotonic() >= gives_up_at:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True
