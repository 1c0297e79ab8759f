"""Epoch numbers and times. Source: docs/protocol.md section 2. The clock never reads the time, it is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EpochClock:
    """The chain's immutable epoch grid; all times in Unix seconds."""

    genesis: int
    epoch_seconds: int
    intake_grace_seconds: int

    def start(self, epoch: int) -> int:
        """Return the first second of `epoch`."""
        return self.genesis + epoch * self.epoch_seconds

    def end(self, epoch: int) -> int:
        """Return the first second after `epoch`."""
        return self.start(epoch + 1)

    def intake_end(self, epoch: int) -> int:
        """Return the first second at which nothing more is acknowledged for `epoch`."""
        return self.end(epoch) + self.intake_grace_seconds

    def at(self, now: int) -> int:
        """Return the epoch that covers `now`; raises ValueError before genesis."""
        if now < self.genesis:
            raise ValueError(f"the first epoch begins at {self.genesis}, it is {now}")
        return (now - self.genesis) // self.epoch_seconds
