"""May viewers come in, and may they stay? The operator's caps and hours, and the end of the process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from streamrp2p_node.drain import Drain
from streamrp2p_node.errors import RETRY_SECONDS, Reason, RefusedError
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
        bound = self._bound_reached()
        return None if bound is None else bound[0]

    def require_open(self) -> None:
        """Let a viewer in; raises RefusedError."""
        if self.drain.is_on:
            raise _refused(Reason.DRAINING)
        self._require_no_bound()

    def require_serving(self) -> None:
        """Serve a viewer that is in, also while the node drains; raises RefusedError."""
        self._require_no_bound()
        self.drain.hear()

    def _require_no_bound(self) -> None:
        bound = self._bound_reached()
        if bound is not None:
            raise _refused(*bound)

    def _bound_reached(self) -> tuple[Reason, int] | None:
        """Return the bound that keeps viewers out, and for how many seconds."""
        if self.max_month_bytes is not None and self.month.bytes_served >= self.max_month_bytes:
            return Reason.OVER_DATA_CAP, self.month.seconds_left
        if self.schedule is not None:
            now = self.local_time()
            weekday, minute = now.weekday(), now.hour * 60 + now.minute
            if not self.schedule.is_open(weekday, minute):
                return Reason.OFF_SCHEDULE, 60 * self.schedule.minutes_to_opening(weekday, minute)
        return None


def _refused(reason: Reason, retry_after_seconds: int = RETRY_SECONDS) -> RefusedError:
    return RefusedError(reason, f"{_WHY[reason]}; ask for another node", retry_after_seconds)


_WHY = {
    Reason.DRAINING: "this node is about to stop",
    Reason.OVER_DATA_CAP: "this node has served what it may this month",
    Reason.OFF_SCHEDULE: "this node does not serve at this hour",
}
