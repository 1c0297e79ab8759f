"""Epoch numbers and times. Source: docs/protocol.md section 2. The clock never reads the time, it is told."""

from dataclasses import dataclass

from streamrp2p.errors import BeforeGenesisError


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
        """Return the epoch that covers `now`; raises BeforeGenesisError before genesis."""
        if now < self.genesis:
            raise BeforeGenesisError(
                f"the first epoch begins at {self.genesis}, it is {now}; wait, or check this machine's clock"
            )
        return (now - self.genesis) // self.epoch_seconds
