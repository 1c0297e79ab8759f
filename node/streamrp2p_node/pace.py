"""The bandwidth that all viewers share."""

import asyncio
from collections.abc import Awaitable, Callable

PIECE_BYTES = 64 * 1024
"""What is sent at once under a bound: small enough that viewers take turns."""
BURST_SECONDS = 0.25


class Pace:
    """A token bucket whose turns are given in the order in which they are asked for."""

    def __init__(
        self,
        bytes_per_second: int,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bytes_per_second = bytes_per_second
        self._monotonic = monotonic
        self._sleep = sleep
        self._free_at = float("-inf")

    async def turn(self, length_bytes: int) -> None:
        """Wait until so many bytes may leave."""
        now = self._monotonic()
        begins_at = max(self._free_at, now - BURST_SECONDS)
        self._free_at = begins_at + length_bytes / self._bytes_per_second
        if self._free_at > now:
            await self._sleep(self._free_at - now)
