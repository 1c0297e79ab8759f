"""The honest population of a simulation, and how large it is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.attacks.parties import Node, Viewer
from tests.attacks.prober import prober
from tests.attacks.simulation import (
    EPOCHS,
    PRICE_PER_GB_WEI,
    STREAM_BYTES_PER_SECOND,
    Simulation,
    simulated,
)

GB = 10**9
LOST_INTEREST = 0.05
"""The part of tickets that an honest viewer does not use: a closed page, a lost connection."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many take part, and for how long. `bots` are an attacker's viewers."""

    nodes: int
    viewers: int
    bots: int
    epochs: int
    step_seconds: int

    @property
    def epoch_budget_wei(self) -> int:
        """What the pool pays in an epoch: what its honest viewers are worth, so that cheats take from others."""
        watched = self.viewers * STREAM_BYTES_PER_SECOND * EPOCHS.epoch_seconds
        return watched * PRICE_PER_GB_WEI // GB


@contextmanager
def populated(scale: Scale, *, seed: int, with_policy: bool) -> Iterator[Simulation]:
    """Start a coordinator, with hidden viewers of its own if it has a policy."""
    with simulated(
        seed=seed,
        epoch_budget_wei=scale.epoch_budget_wei,
        step_seconds=scale.step_seconds,
        with_policy=with_policy,
    ) as simulation:
        if with_policy:
            simulation.acts.append(prober())
        yield simulation


QUICK = Scale(nodes=5, viewers=20, bots=10, epochs=2, step_seconds=150)
FULL = Scale(nodes=6, viewers=36, bots=16, epochs=6, step_seconds=300)


def honest_nodes(simulation: Simulation, count: int) -> list[Node]:
    """Let nodes of as many operators relay, each in a network of its own."""
    return [simulation.add_node(f"198.18.{number}.10") for number in range(count)]


def honest_viewers(simulation: Simulation, hosts: Sequence[str | None]) -> list[Viewer]:
    """Let a viewer watch from each address. Now and then one leaves a ticket unused and asks for another."""
    viewers = [simulation.add_viewer(host) for host in hosts]
    for viewer in viewers:
        viewer.takes = lambda _: simulation.chance.random() >= LOST_INTEREST
        viewer.patience = 3
    return viewers


def homes(count: int) -> list[str | None]:
    """Return addresses in as many networks."""
    return [f"198.18.{100 + number}.20" for number in range(count)]
