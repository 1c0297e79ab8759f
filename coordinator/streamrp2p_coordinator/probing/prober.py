"""Sends probes at random times, a bounded number at once, in threads of its own."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random, SystemRandom

import structlog

from streamrp2p.errors import StreamrP2PError
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.metrics import Metrics
from streamrp2p_coordinator.network import Clock, Network, Policy, Signer
from streamrp2p_coordinator.probing.routes import Route
from streamrp2p_coordinator.probing.schedule import pause_seconds
from streamrp2p_coordinator.use_cases.measure_streams import measure_streams
from streamrp2p_coordinator.use_cases.probe_node import probe_node

MEASURE_SECONDS = 60.0
"""How often the streams' rates are measured, unless that takes longer."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """How often, how long and by which ways. Without a `site`, whose page probes seem to be on, none is sent."""

    routes: tuple[Route, ...]
    site: str | None = None
    every_seconds: float = 600
    """Between two probes of one node, on average."""
    median_seconds: float = 45
    at_once: int = 4


@dataclass(slots=True)
class Prober:
    """The probes of one process. `tick` is called again and again by the one that leads, and returns at once."""

    plan: ProbePlan
    database: Database
    network: Network
    policy: Policy
    ticket_signer: Signer
    clock: Clock
    metrics: Metrics
    chance: Random = field(default_factory=SystemRandom)
    _next_probe_at: float | None = None
    _next_measure_at: float = float("-inf")
    _measuring: "Future[None] | None" = None
    _running: "set[Future[None]]" = field(default_factory=set)
    _told_to_stop: threading.Event = field(default_factory=threading.Event)
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        # One more than there are probes: the streams are measured meanwhile.
        self._threads = ThreadPoolExecutor(self.plan.at_once + 1, "probe")

    def tick(self, now: float | None = None) -> None:
        """Begin what is due; `now` is in monotonic seconds."""
        now = time.monotonic() if now is None else now
        self._running = {each for each in self._running if not each.done()}
        is_measuring = self._measuring is not None and not self._measuring.done()
        if now >= self._next_measure_at and not is_measuring:
            self._next_measure_at = now + MEASURE_SECONDS
            self._measuring = self._threads.submit(self._measure)
        if self.plan.site is None:
            return
        if self._next_probe_at is None:
            self._next_probe_at = now + self._pause()
        if now < self._next_probe_at:
            return
        self._next_probe_at = now + self._pause()
        if len(self._running) < self.plan.at_once:
            self._running.add(self._threads.submit(self._probe, self.plan.site))

    def close(self) -> None:
        """End all probes; those under way stay void."""
        self._told_to_stop.set()
        self._threads.shutdown(cancel_futures=True)

    def _pause(self) -> float:
        with self.database.read() as store:
            nodes = sum(node.is_healthy for node in store.nodes.all(self.clock()))
        return pause_seconds(self.plan.every_seconds / max(nodes, 1), self.chance)

    def _measure(self) -> None:
        try:
            measure_streams(
                database=self.database,
                network=self.network,
                clock=self.clock,
                route=self.plan.routes[0],
                should_stop=self._told_to_stop.is_set,
            )
        except StreamrP2PError as error:
            log.warning("streams_not_measured", reason=str(error))
        except Exception:
            log.exception("measuring_crashed")

    def _probe(self, site: str) -> None:
        try:
            found = probe_node(
                database=self.database,
                network=self.network,
                policy=self.policy,
                ticket_signer=self.ticket_signer,
                clock=self.clock,
                route=self.chance.choice(self.plan.routes),
                site=site,
                median_seconds=self.plan.median_seconds,
                chance=self.chance,
                should_stop=self._told_to_stop.is_set,
            )
        except StreamrP2PError as error:
            log.info("probe_not_sent", reason=str(error))
        except Exception:
            log.exception("probe_crashed")
        else:
            if found is not None:
                self.metrics.probed(str(found.outcome), found.bytes_received)
                log.info(
                    "probe_ended",
                    node="0x" + found.node.hex(),
                    pool=found.pool_id,
                    outcome=str(found.outcome),
                    seconds=found.seconds,
                    bytes=found.bytes_received,
                )
