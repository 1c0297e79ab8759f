"""What the operator of a node is told of: pure, from the node's own report."""

from collections.abc import Mapping

from streamrp2p_node.errors import Reason
from streamrp2p_node.presence import Reach
from streamrp2p_node.status import NodeStatus

BACKLOG_SECONDS = 120
SILENCE_SECONDS = 120


def troubles(
    status: NodeStatus, backlog_seconds: int, answer_age_seconds: float | None
) -> Mapping[str, str]:
    """Return what is wrong by name."""
    found: dict[str, str] = {}
    if status.reachability.state is Reach.RELAY_ONLY:
        found["unreachable"] = "no viewer can reach this node; see: streamrp2p node check"
    if status.closed_because == Reason.OVER_DATA_CAP:
        found["cap reached"] = (
            f"{status.month.bytes_served} bytes left this month, all that it may serve; raise --monthly-gb to go on"
        )
    if backlog_seconds > BACKLOG_SECONDS:
        found["receipts wait"] = (
            f"{status.unsubmitted_receipts} receipts wait since {backlog_seconds} s; after the epoch's grace they are "
            f"lost. Last failure: {status.last_error or 'none'}"
        )
    if status.cache.has_full_disk:
        found["disk full"] = "the cache cannot write: make room, since journals need the disk too"
    if answer_age_seconds is not None and answer_age_seconds > SILENCE_SECONDS:
        found["coordinator silent"] = f"it last answered {answer_age_seconds:.0f} s ago"
    return found
