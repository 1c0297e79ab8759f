"""However many ask for the same thing at once, it is made once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class SingleFlight(Generic[Value]):
    """Calls under way, by key. Of one event loop."""

    def __init__(self) -> None:
        self._flights: dict[object, asyncio.Task[Value]] = {}

    async def do(self, key: object, make: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """Return `await make()`, joining the call under way for `key`, if any; an error reaches all who wait.

        One who gives up waiting does not cancel it for the others.
        """
        task = self._flights.get(key)
        if task is None:
            task = self._flights[key] = asyncio.create_task(make())
            task.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(task)

    def under_way(self, key: object) -> asyncio.Task[Value] | None:
        """Return the call under way for `key`, to be awaited behind a shield."""
        return self._flights.get(key)

    def _land(self, key: object, task: asyncio.Task[Value]) -> None:
        self._flights.pop(key, None)
        if not task.cancelled():
            # Else an error that nobody waits for any more would be reported as never retrieved.
            task.exception()
