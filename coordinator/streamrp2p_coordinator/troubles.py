"""What an operator of a coordinator is told of: pure, from what was observed."""

from collections.abc import Mapping

from streamrp2p_coordinator.use_cases.observe import Observation

LOW_DISK_BYTES = 2 * 10**9
"""With less room on a disk the operator is told, and by doctor. The alert in deploy/prometheus has the same."""
MAX_LAG_EPOCHS = 1
"""The epoch that has just ended is always behind for a while."""


def troubles(
    seen: Observation | None, failures: Mapping[str, str], low_balance_wei: int
) -> Mapping[str, str]:
    """Return what is wrong by name. `failures` says why each job that fails now failed last; `seen` may be None."""
    found = {f"job {name} fails": reason for name, reason in failures.items()}
    if seen is None:
        return found
    if seen.poster_balance_wei < low_balance_wei:
        found["low balance"] = (
            f"the poster has {seen.poster_balance_wei} wei left: send it ether, since commits and answers to "
            "demands are paid from it"
        )
    if not seen.is_bonded:
        found["no bond"] = "the poster is not bonded: nothing can be committed"
    lag = seen.ended - seen.committed
    if lag > MAX_LAG_EPOCHS:
        found["epochs not committed"] = (
            f"{lag} epochs ended and are not on the chain; see the poster's transactions in: "
            "streamrp2p coordinator status"
        )
    for folder, free in seen.disk_free_bytes.items():
        if free < LOW_DISK_BYTES:
            found[f"disk of {folder}"] = (
                f"{free // 10**6} MB are left; nothing is acknowledged once the disk is full"
            )
    return found
