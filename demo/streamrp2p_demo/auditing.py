"""Audits each epoch as soon as its header is on chain, in a process of its own, as a watchful third party would."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from streamrp2p.numbers import Address
from streamrp2p_demo.child import Child
from streamrp2p_demo.processes import Supervisor


@dataclass(frozen=True, slots=True)
class Audit:
    """What `streamrp2p audit epoch` said of one epoch."""

    exit_code: int
    verdict: str
    rewards: dict[Address, int]
    """Each account's cumulative reward, as recomputed; empty unless the epoch is right."""


@dataclass(slots=True)
class Auditors:
    """Starts an audit for each committed epoch and keeps what they say."""

    supervisor: Supervisor
    command: Callable[[int], list[str]]
    tell: Callable[[str], None]
    running: dict[int, Child] = field(default_factory=dict)
    audits: dict[int, Audit] = field(default_factory=dict)

    def look(self, committed: int) -> None:
        """Audit the epochs below `committed` that were not yet, and tell the verdicts that have come."""
        for epoch in range(committed):
            if epoch not in self.running and epoch not in self.audits:
                self.running[epoch] = self.supervisor.start_command(
                    f"audit-{epoch}", self.command(epoch)
                )
        for epoch, child in list(self.running.items()):
            if child.exit_code is not None:
                self._take(epoch)

    def forget(self, epoch: int) -> None:
        """Audit an epoch and those after it anew, once they are committed again: their headers were voided.

        An audit that still runs is stopped: it may meet either header, or none.
        """
        for other in [one for one in self.running if one >= epoch]:
            self.supervisor.stop([self.running.pop(other)])
        for other in [one for one in self.audits if one >= epoch]:
            del self.audits[other]

    def audit(self, epoch: int) -> Audit:
        """Return what the audit of an epoch said, waiting for it if it still runs."""
        self.look(epoch + 1)
        if epoch in self.running:
            self._take(epoch)
        return self.audits[epoch]

    def _take(self, epoch: int) -> None:
        audit = read_audit(*self.supervisor.finish(self.running.pop(epoch)))
        self.audits[epoch] = audit
        self.tell(f"audit of epoch {epoch}: {audit.verdict}")


def read_audit(exit_code: int, output: str) -> Audit:
    """Read what the command printed; anything else than its JSON is no verdict."""
    try:
        said = json.loads(output)
    except ValueError:
        said = {}
    verdict = said.get("verdict", "no verdict")
    why = said.get("difference") or said.get("error")
    return Audit(
        exit_code,
        f"{verdict}: {why}" if why else verdict,
        {
            Address(bytes.fromhex(claim["account"].removeprefix("0x"))): sum(
                map(int, claim["cumulativeRewards"].values())
            )
            for claim in said.get("claims", [])
        },
    )
