"""What an operator is shown of a watchman."""

from pathlib import Path

from streamrp2p_auditor.metrics import SILENCE_SECONDS, STUCK_SECONDS, WatchMetrics
from streamrp2p_auditor.state import State
from tests.auditor.test_watchman import World
from tests.support.epochs import DOMAIN
from tests.support.fraud import HONEST

P = "streamrp2p_auditor_"


class Scene:
    """A watchman of a chain with two pending headers, of which one is wrong."""

    def __init__(self, folder: Path) -> None:
        with State(folder).locked(DOMAIN):
            pass
        self.world = World(folder)
        self.watchman = self.world.watchman()
        self.metrics = WatchMetrics(
            self.watchman, 12.0, monotonic=lambda: self.world.now, clock=lambda: 5000.0
        )

    def value(self, name: str, **labels: str) -> float | None:
        found = [
            sample.value
            for family in self.metrics.monitored.registry.collect()
            for sample in family.samples
            if (sample.name, sample.labels) == (P + name, labels)
        ]
        assert len(found) <= 1
        return found[0] if found else None


def test_verdicts_are_shown_by_header(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert scene.value("verified_epoch") is None
    assert scene.value("block") is None
    scene.watchman.round(scene.world.book.chain())
    assert scene.value("headers", verdict="byte-identical", fate="pending") == 2
    assert scene.value("verified_epoch") == HONEST.header.epoch
    assert scene.value("block") == 10
    assert scene.value("block_age_seconds") == 4000
    assert scene.value("transaction_live") == 0
    assert scene.value("alerts_due") == 0


def test_a_header_that_is_wrong_is_counted_apart(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.world.book.funded = 1
    scene.watchman.round(scene.world.book.chain())
    assert scene.value("headers", verdict="wrong", fate="pending") is not None


def test_a_watchman_is_ready_while_its_rounds_are_done(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    metrics = scene.metrics
    assert metrics.readiness()["chain"] == "the first round has not ended yet"
    metrics.ended("failed", "the RPC is silent")
    assert metrics.readiness()["chain"] == "the RPC is silent"
    metrics.ended("done")
    assert metrics.readiness() == {"chain": None, "alerts": None}
    scene.world.now += SILENCE_SECONDS + 13
    metrics.ended("failed", "the RPC is silent")
    assert metrics.readiness()["chain"] == "the RPC is silent"
    assert scene.value("rounds_total", outcome="done") == 1
    assert scene.value("rounds_total", outcome="failed") == 2


def test_a_watchman_whose_round_hangs_is_unhealthy(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert scene.metrics.health() == {"rounds": None}
    scene.world.now += STUCK_SECONDS + 1
    assert "restart" in (scene.metrics.health()["rounds"] or "")
    scene.metrics.ended("failed", "the RPC is silent")
    assert scene.metrics.health() == {"rounds": None}
