"""What the coordinator's hidden viewers find in a simulation: the stream's rate, and who sends them nothing."""

from dataclasses import dataclass

from streamrp2p.numbers import SessionId
from streamrp2p_coordinator.probing.outcome import Outcome
from streamrp2p_coordinator.probing.schedule import Candidate, choose
from tests.attacks.parties import Viewer
from tests.attacks.simulation import EPOCHS, POOL, STREAM_BYTES_PER_SECOND, WATCHING, Simulation
from tests.coordinator.actors import known_key

VISIT_SECONDS = 30
MEAN_PAUSE_SECONDS = 60


@dataclass
class Prober:
    """Keeps what each visit finds as `streamrp2p_coordinator.probing` does. A node takes it for a real viewer."""

    stranger: Viewer

    def __call__(self, simulation: Simulation) -> None:
        """Visit as many nodes as a step has time for."""
        with simulation.world.database.write() as store:
            store.probes.keep_rate(POOL, EPOCHS.at(simulation.now - 1), STREAM_BYTES_PER_SECOND)
        for _ in range(simulation.step_seconds // MEAN_PAUSE_SECONDS):
            self._visit(simulation)

    def _visit(self, simulation: Simulation) -> None:
        now = simulation.now - VISIT_SECONDS
        with simulation.world.database.write() as store:
            last = store.probes.last_of_each_node(now - EPOCHS.epoch_seconds)
            candidates = [
                Candidate(
                    node.address,
                    probed_at=probe.started_at if (probe := last.get(node.address)) else None,
                    is_doubtful=probe is not None and probe.outcome is not Outcome.OK,
                )
                for node in simulation.nodes
                if node.is_up
            ]
            chosen = choose(candidates, now, simulation.chance)
            if chosen is None:
                return
            node = next(node for node in simulation.nodes if node.address == chosen.node)
            is_served = node.serves(self.stranger)
            session_id = SessionId(simulation.chance.randbytes(32))
            visit = store.probes.begin(POOL, node.address, session_id, now)
            store.probes.end(
                visit,
                Outcome.OK if is_served else Outcome.UNSERVED,
                seconds=VISIT_SECONDS,
                bytes_received=is_served * STREAM_BYTES_PER_SECOND * VISIT_SECONDS,
                bytes_per_second=is_served * STREAM_BYTES_PER_SECOND,
                evidence={},
            )


def prober() -> Prober:
    """Return a prober at an address that says nothing."""
    return Prober(Viewer(known_key(30_000), "198.18.250.9", True, WATCHING))
