"""Honest operators and viewers in places where they may look like cheats. Nothing of theirs may be refused."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from streamrp2p.typed_data import SessionTicket
from tests.attacks.parties import Viewer
from tests.attacks.population import Scale, homes, honest_nodes, honest_viewers, populated
from tests.attacks.simulation import EPOCHS, STREAM_BYTES_PER_SECOND, Simulation

SKEW_SECONDS = 100
JUMP_SECONDS = 30
"""What a player fetches again when its viewer jumps back."""
JUMP_EVERY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Case:
    """`begin` brings nodes and viewers into a simulation."""

    name: str
    what: str
    begin: Callable[[Simulation, Scale], object]


def begin(
    simulation: Simulation,
    scale: Scale,
    host_of: Callable[[int], str | None] = lambda number: homes(number + 1)[-1],
) -> list[Viewer]:
    """Bring all in; `host_of` numbers the viewers."""
    honest_nodes(simulation, scale.nodes)
    return honest_viewers(simulation, [host_of(number) for number in range(scale.viewers)])


def from_(host_of: Callable[[int], str | None]) -> Callable[[Simulation, Scale], object]:
    return lambda simulation, scale: begin(simulation, scale, host_of)


def lan_party(number: int) -> str | None:
    return f"198.18.90.{10 + number}" if number % 3 else homes(number + 1)[-1]


def behind_a_nodes_address(number: int) -> str | None:
    return homes(number + 1)[-1] if number % 4 else "198.18.0.10"


def one_node(simulation: Simulation, scale: Scale) -> None:
    begin(simulation, replace(scale, nodes=1))


def flash_crowd(simulation: Simulation, scale: Scale) -> None:
    viewers = begin(simulation, replace(scale, viewers=2 * scale.viewers))
    for viewer in viewers[2:]:
        viewer.joins_at = EPOCHS.start(EPOCHS.at(simulation.now)) + EPOCHS.epoch_seconds // 2


def jumping_back(simulation: Simulation, scale: Scale) -> None:
    for viewer in begin(simulation, scale)[::2]:
        viewer.claims = fetched_again


def fetched_again(ticket: SessionTicket, now: int) -> int:
    """Count what a viewer fetched who jumps back every minute."""
    elapsed = max(min(now, ticket.expires_at) - ticket.issued_at, 0)
    return STREAM_BYTES_PER_SECOND * (elapsed + elapsed // JUMP_EVERY_SECONDS * JUMP_SECONDS)


def restart(simulation: Simulation, scale: Scale) -> None:
    """Let a node be away for a quarter of an epoch; it hands in late what was signed before."""
    begin(simulation, scale)
    away_from = simulation.now + EPOCHS.epoch_seconds // 4
    back_at = away_from + EPOCHS.epoch_seconds // 4

    def act(_: Simulation) -> None:
        simulation.nodes[0].is_up = not away_from <= simulation.now < back_at

    simulation.acts.append(act)


def skewed_clocks(simulation: Simulation, scale: Scale) -> None:
    for number, viewer in enumerate(begin(simulation, scale)):
        viewer.skew_seconds = SKEW_SECONDS if number % 2 else -SKEW_SECONDS


def bad_peering(simulation: Simulation, scale: Scale) -> None:
    """Let half of the viewers reach two nodes only."""
    near = {viewer.address for viewer in begin(simulation, scale)[::2]}
    for viewer in simulation.viewers:
        viewer.patience = len(simulation.nodes)
    for node in simulation.nodes[2:]:
        node.serves = lambda viewer: viewer.address not in near


CASES = (
    Case("ordinary", "Each viewer at home, in a network of its own.", begin),
    Case("behind a proxy", "A web server that names no viewer's address.", from_(lambda _: None)),
    Case("LAN party", "Two thirds of the viewers sit in one network.", from_(lan_party)),
    Case(
        "a node's household",
        "A quarter of the viewers share a node's address.",
        from_(behind_a_nodes_address),
    ),
    Case(
        "carrier-grade NAT",
        "All viewers share two addresses.",
        from_(lambda number: f"198.18.{90 + number % 2}.1"),
    ),
    Case("one node", "There is no other to choose, or to compare with.", one_node),
    Case("flash crowd", "Nearly all viewers come in one minute.", flash_crowd),
    Case("jumping back", "Half of the viewers fetch half of the stream twice.", jumping_back),
    Case("restart", "A node is away, its viewers go on elsewhere, and it hands in late.", restart),
    Case("skewed clocks", "Viewers' clocks are 100 s fast or slow.", skewed_clocks),
    Case("bad peering", "Half of the viewers reach two of the nodes only.", bad_peering),
)


@dataclass(frozen=True, slots=True)
class Treatment:
    """How honest nodes were treated."""

    acknowledged: int
    refused: Counter[str]
    suspected: frozenset[str]


def treatment(case: Case, scale: Scale, *, seed: int = 1) -> Treatment:
    """Play a case, with the policy on."""
    with populated(scale, seed=seed, with_policy=True) as simulation:
        case.begin(simulation, scale)
        simulation.run(scale.epochs)
        assert all(simulation.earned(node) for node in simulation.nodes)
        refused: Counter[str] = Counter()
        for refusals in simulation.refusals.values():
            refused += refusals.refused
        return Treatment(
            sum(each.acknowledged for each in simulation.refusals.values()),
            refused,
            frozenset().union(*simulation.suspected.values()),
        )
