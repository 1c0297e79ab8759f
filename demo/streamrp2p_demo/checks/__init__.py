"""Each claim that the demo makes, as a pure function from what was seen to Passed or Failed."""

from collections.abc import Callable
from dataclasses import dataclass

from streamrp2p_demo.checks.adversaries import (
    corruption_earns_nothing,
    over_report_is_rejected,
    replay_pays_once,
)
from streamrp2p_demo.checks.fraud import inflation_is_voided
from streamrp2p_demo.checks.outcome import Failed, Outcome, Passed
from streamrp2p_demo.checks.processes import crash_loses_nothing, nothing_is_left
from streamrp2p_demo.checks.settlement import (
    audits_are_identical,
    claims_equal_audit,
    epochs_are_final,
    pool_is_balanced,
    rewards_of,
)
from streamrp2p_demo.checks.viewers import receipts_are_paid, viewers_watched
from streamrp2p_demo.facts import Facts

__all__ = [
    "CHECKS",
    "FRAUD_CHECKS",
    "CheckResult",
    "Failed",
    "Outcome",
    "Passed",
    "audits_are_identical",
    "claims_equal_audit",
    "corruption_earns_nothing",
    "crash_loses_nothing",
    "epochs_are_final",
    "inflation_is_voided",
    "nothing_is_left",
    "over_report_is_rejected",
    "pool_is_balanced",
    "receipts_are_paid",
    "replay_pays_once",
    "rewards_of",
    "run_checks",
    "viewers_watched",
]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check's name and outcome."""

    name: str
    outcome: Outcome

    @property
    def passed(self) -> bool:
        """Whether the claim holds."""
        return isinstance(self.outcome, Passed)


CHECKS: dict[str, Callable[[Facts], Outcome]] = {
    "viewers": viewers_watched,
    "receipts": receipts_are_paid,
    "over-reporting viewer": over_report_is_rejected,
    "corrupting relay": corruption_earns_nothing,
    "double-submitting relay": replay_pays_once,
    "killed relay": crash_loses_nothing,
    "epochs": epochs_are_final,
    "audit": audits_are_identical,
    "claims": claims_equal_audit,
    "pool": pool_is_balanced,
    "processes": nothing_is_left,
}
"""Every check by the name that the report gives it."""
FRAUD_CHECKS: dict[str, Callable[[Facts], Outcome]] = {"inflating poster": inflation_is_voided}
"""Those of a run with the inflating poster."""


def run_checks(facts: Facts) -> list[CheckResult]:
    """Run every check of this run, in the order of the report."""
    checks = CHECKS if facts.fraud is None else FRAUD_CHECKS | CHECKS
    return [CheckResult(name, check(facts)) for name, check in checks.items()]
