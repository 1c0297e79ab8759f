"""May viewers come in, and may they stay? The operator's caps and hours, and the end of the process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from streamrp2p_node.drain import Drain
from streamrp2p_node.errors import Reason, RefusedError
from streamrp2p_node.month import Month
from streamrp2p_node.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Doors:
    """Refuses viewers; `max_month_bytes` and `schedule` are None where there is no bound."""

    drain: Drain
    month: Month
    max_month_bytes: int | None
    schedule: Schedule | None
    local_time: Callable[[], datetime]

    @property
    def closed_because(self) -> Reason | None:
        """Why nobody new is let in, or None."""
        return Reason.DRAINING if self.drain.is_on else self._bound_reached()

    def require_open(self) -> None:
        """Let a viewer in; raises RefusedError."""
        _require_none(self.closed_because)

    def require_serving(self) -> None:
        """Serve a viewer that is in, also while the node drains; raises RefusedError."""
        _require_none(self._bound_reached())
        self.drain.hear()

    def _bound_reached(self) -> Reason | None:
        if self.max_month_bytes is not None and self.month.bytes_served >= self.max_month_bytes:
            return Reason.OVER_DATA_CAP
        if self.schedule is not None:
            now = self.local_time()
            if not self.schedule.is_open(now.weekday(), now.hour * 60 + now.minute):
                return Reason.OFF_SCHEDULE
        return None


def _require_none(reason: Reason | None) -> None:
    if reason is not None:
        raise RefusedError(reason, f"{_WHY[reason]}; ask for another node")


_WHY = {
    Reason.DRAINING: "this node is about to stop",
    Reason.OVER_DATA_CAP: "this node has served what it may this month",
    Reason.OFF_SCHEDULE: "this node does not serve at this hour",
}
