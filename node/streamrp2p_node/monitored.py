"""The node as its operator's port shows it. That port has threads of its own; the node is read on its event loop."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from streamrp2p.monitoring import Checks, Monitored, registry_of
from streamrp2p_node.metrics import READINGS, NodeMetrics
from streamrp2p_node.presence import Reach
from streamrp2p_node.status import Reporter

LOOP_SECONDS = 5.0
"""An event loop that answers nobody for so long serves no viewer either."""
SILENCE_SECONDS = 60.0
"""The coordinator is asked every few seconds: after so long it is down, or the way to it is."""

Read = TypeVar("Read")


def monitored(
    reporter: Reporter, loop: asyncio.AbstractEventLoop, *, seconds: float = LOOP_SECONDS
) -> Monitored:
    """Return what is shown of a node that runs on `loop`, which is given some seconds for each answer."""
    metrics = NodeMetrics(reporter)

    def on_loop(read: Callable[[], Read]) -> Read:
        async def call() -> Read:
            return read()

        return asyncio.run_coroutine_threadsafe(call(), loop).result(seconds)

    def health() -> Checks:
        try:
            on_loop(lambda: None)
        except TimeoutError:
            return {"event loop": f"it does not answer in {seconds:.0f} s; restart the node"}
        return {"event loop": None}

    return Monitored(
        registry_of(READINGS, lambda: on_loop(metrics.read)),
        health=health,
        readiness=lambda: on_loop(lambda: readiness(reporter)),
    )


def readiness(reporter: Reporter) -> Checks:
    """Tell what keeps viewers away; to be asked on the event loop."""
    presence, doors = reporter.presence, reporter.doors
    is_lost = presence.state in (Reach.CHECKING, Reach.RELAY_ONLY)
    closed = doors.closed_because
    return {
        "coordinator": _coordinator(reporter.view.answer_age_seconds),
        "reachability": f"{presence.state}; see: streamrp2p node check" if is_lost else None,
        "doors": None if closed is None else f"closed: {closed}",
        "disk": "the cache cannot write to its disk" if reporter.cache.has_full_disk else None,
    }


def _coordinator(age_seconds: float | None) -> str | None:
    if age_seconds is None:
        return "it has not answered yet"
    return f"it last answered {age_seconds:.0f} s ago" if age_seconds > SILENCE_SECONDS else None
