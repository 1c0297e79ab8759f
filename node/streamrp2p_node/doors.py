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
        if self.drain.is_on:
            return Reason.DRAINING
        if self.max_month_bytes is not None and self.month.bytes_served >= self.max_month_bytes:
            return Reason.OVER_DATA_CAP
        if self.schedule is not None:
            now = self.local_time()
            if not self.schedule.is_open(now.weekday(), now.hour * 60 + now.minute):
                return Reason.OFF_SCHEDULE
        return None

    def require_open(self) -> None:
        """Let a viewer in; raises RefusedError."""
        reason = self.closed_because
        if reason is not None:
            raise RefusedError(reason, f"{_WHY[reason]}; ask for another node")

    def require_serving(self) -> None:
        """Serve a viewer that is in, also while the node drains; raises RefusedError."""
        if self.closed_because is not Reason.DRAINING:
            self.require_open()
        self.drain.hear()


_WHY = {
    Reason.DRAINING: "this node is about to stop",
    Reason.OVER_DATA_CAP: "this node has served what it may this month",
    Reason.OFF_SCHEDULE: "this node does not serve at this hour",
}
