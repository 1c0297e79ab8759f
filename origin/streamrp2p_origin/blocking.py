"""Blocking reload: a request is held until the playlist lists what it asks for."""

import asyncio
from collections.abc import Awaitable, Callable

HOLD_TARGETS = 3
"""How long a request is held at most, in target durations."""


async def held(
    is_listed: Callable[[], bool], change: Callable[[], Awaitable[object]], hold_seconds: float
) -> bool:
    """Wait, at most so long, until `is_listed`; `change` returns once the playlist has changed. False: in vain."""
    try:
        async with asyncio.timeout(hold_seconds):
            while not is_listed():
                await change()
    except TimeoutError:
        return is_listed()
    return True
