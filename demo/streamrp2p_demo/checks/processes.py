"""Whether a crash lost anything that was promised, and whether the run left anything behind."""

from streamrp2p_demo.checks.outcome import Failed, Outcome, Passed, listed
from streamrp2p_demo.facts import Facts


def crash_loses_nothing(facts: Facts) -> Outcome:
    """Demand that every record acknowledged to the killed relay is in its epoch's bundle, or a newer one."""
    crash = facts.crash
    if crash.restarted_in_epoch != crash.epoch:
        return Failed(
            f"killed in epoch {crash.epoch}, back only in epoch {crash.restarted_in_epoch}"
        )
    if crash.promises_before == 0:
        return Failed(f"nothing had been acknowledged to {crash.name} before it was killed")
    committed = {
        (epoch.epoch, record.session_id): record.receipt.sequence
        for epoch in facts.epochs
        for record in epoch.records()
    }
    lost = [
        promise
        for promise in crash.promises
        if committed.get((promise.epoch, promise.session_id), -1) < promise.sequence
    ]
    if lost:
        first = lost[0]
        return Failed(
            f"{len(lost)} of {len(crash.promises)} acknowledged records are lost; the first is session "
            f"0x{first.session_id.hex()}, sequence {first.sequence}, in epoch {first.epoch}"
        )
    return Passed(
        f"{crash.name} was killed with SIGKILL in epoch {crash.epoch} and came back; all "
        f"{len(crash.promises)} acknowledged records ({crash.promises_before} from before) are in the bundles"
    )


def nothing_is_left(facts: Facts) -> Outcome:
    """Demand that no process that the demo started still runs."""
    if facts.left_behind:
        return Failed(f"still running: {listed(facts.left_behind)}")
    return Passed("every process that was started has ended")
