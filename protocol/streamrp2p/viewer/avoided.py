"""Which relays not to go back to, and for how long. Pure; it is told the time, in monotonic seconds."""

from dataclasses import dataclass

FIRST_SECONDS = 5.0
LAST_SECONDS = 80.0
"""A relay that fails again and again is avoided for twice as long each time, up to this."""


@dataclass(slots=True)
class _Fault:
    failures: int = 0
    until: float = 0.0


class Avoided:
    """Relays that failed, by address."""

    def __init__(self) -> None:
        self._faults: dict[bytes, _Fault] = {}

    def add(
        self, node: bytes, now: float, *, for_good: bool = False, is_failure: bool = True
    ) -> None:
        """Avoid a relay for a while; `for_good` if it served wrong bytes, which no accident explains.

        What is no failure of its own does not make the next while longer.
        """
        fault = self._faults.setdefault(node, _Fault())
        seconds = min(FIRST_SECONDS * 2**fault.failures, LAST_SECONDS)
        fault.failures += is_failure
        fault.until = float("inf") if for_good else max(fault.until, now + seconds)

    def now(self, now: float) -> list[bytes]:
        """Return the relays to avoid, those that must be avoided longest first: they are the worst."""
        nodes = [node for node, fault in self._faults.items() if fault.until > now]
        nodes.sort(key=lambda node: -self._faults[node].until)
        return nodes
