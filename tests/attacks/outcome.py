"""What came of an attack: refusals, money, and what it did to the others."""

from collections import Counter
from dataclasses import dataclass
from functools import cache

from tests.attacks.attacks import RENTED_ADDRESSES, Attack, own_nodes, rented
from tests.attacks.population import GB, Scale, homes, honest_nodes, honest_viewers, populated
from tests.attacks.simulation import TOKEN_WEI, Refusals, Simulation

SENT_WEI_PER_GB = TOKEN_WEI // 4
"""What it costs a relay to send a GB, for which the pool pays a token."""
ADDRESS_WEI_PER_HOUR = TOKEN_WEI // 4
"""What an address in a network of its own costs to rent: for that a node has to send a quarter of a GB."""
HOUR_SECONDS = 3600
CHANCE = 0.1
"""A profit below this part of what honest work brings is chance: viewers are shared out by whole ones."""


@dataclass(frozen=True, slots=True)
class Run:
    """One simulation, told of the attacker's nodes and of the honest ones. Amounts are in base units of the token."""

    earned_wei: int
    sent_bytes: int
    rent_wei: int
    records: Refusals
    """The attacker's."""
    honest_earned_wei: int
    honest_refused: Counter[str]
    suspected: frozenset[str]
    """The codes that were held against the attacker's nodes."""
    began_at: int

    @property
    def net_wei(self) -> int:
        """What is left of the earnings when bytes and addresses are paid."""
        return self.earned_wei - self.sent_bytes * SENT_WEI_PER_GB // GB - self.rent_wei


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attack, beside the same machines at honest work."""

    name: str
    attack: Run
    honest: Run

    @property
    def pays(self) -> bool:
        """Whether it brings more than chance does."""
        return self.profit_wei > CHANCE * self.honest.net_wei

    @property
    def profit_wei(self) -> int:
        """What cheating brought more than honest work; what it cost more is taken off."""
        return self.attack.net_wei - self.honest.net_wei

    @property
    def others_lost_wei(self) -> int:
        """What the honest nodes would have earned more beside an honest one."""
        return self.honest.honest_earned_wei - self.attack.honest_earned_wei


def play(attack: Attack, scale: Scale, *, with_policy: bool, seed: int = 1) -> Run:
    """Let an attacker live among honest nodes and viewers."""
    with populated(scale, seed=seed, with_policy=with_policy) as simulation:
        honest_nodes(simulation, scale.nodes)
        honest_viewers(simulation, homes(scale.viewers))
        attack.begin(simulation, scale)
        began_at = simulation.now
        simulation.run(scale.epochs)
        return _run(simulation, began_at)


@cache
def honest_run(machines: int, scale: Scale, *, with_policy: bool) -> Run:
    """Let the same machines relay honestly, each under one name."""
    none = Attack(
        "none", "Relays.", lambda simulation, _: own_nodes(simulation, machines), machines
    )
    return play(none, scale, with_policy=with_policy)


def outcome(attack: Attack, scale: Scale, *, with_policy: bool) -> Outcome:
    """Play an attack, and the same machines at honest work."""
    return Outcome(
        attack.name,
        play(attack, scale, with_policy=with_policy),
        honest_run(attack.machines, scale, with_policy=with_policy),
    )


def _run(simulation: Simulation, began_at: int) -> Run:
    honest = [node for node in simulation.nodes if node.is_honest]
    attackers = [node for node in simulation.nodes if not node.is_honest]
    records = Refusals()
    for node in attackers:
        records.merge(simulation.refusals[node.address])
    refused: Counter[str] = Counter()
    for node in honest:
        refused += simulation.refusals[node.address].refused
    return Run(
        sum(simulation.earned(node) for node in attackers),
        sum(simulation.sent_bytes[node.address] for node in attackers),
        _rent(simulation, simulation.now - began_at),
        records,
        sum(simulation.earned(node) for node in honest),
        refused,
        frozenset(code for node in attackers for code in simulation.suspected[node.address]),
        began_at,
    )


def _rent(simulation: Simulation, seconds: int) -> int:
    mine = {node.host for node in simulation.nodes if not node.is_honest}
    mine |= {viewer.host for viewer in simulation.viewers if viewer.host and not viewer.is_honest}
    rented_hosts = mine & {rented(number) for number in range(RENTED_ADDRESSES)}
    return len(rented_hosts) * ADDRESS_WEI_PER_HOUR * seconds // HOUR_SECONDS
