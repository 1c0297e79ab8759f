"""What one coordinator process counts for its operator. No label names a viewer, a session, a node or an address."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import get_args

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily

from streamrp2p.monitoring import Reading, Values, registry_of
from streamrp2p_coordinator.judgement import Judgement
from streamrp2p_coordinator.repositories.transactions import Purpose
from streamrp2p_coordinator.use_cases.observe import Observation

REQUEST_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
WRITE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)
"""Seconds. A look from outside takes half a minute; a writer waits as long for the database."""

_P = "streamrp2p_coordinator_"


def _gauge(name: str, help_text: str, *labels: str) -> Reading:
    return Reading(GaugeMetricFamily, _P + name, help_text, labels)


LEADER = _gauge("leader", "1 in the process that settles and posts, 0 in all others.")
OBSERVED = (
    LEADER,
    _gauge("block", "Number of the newest block of the chain."),
    _gauge("block_lag_blocks", "Blocks between the newest one and the one that was read."),
    _gauge("block_age_seconds", "Age of the chain's newest block by this machine's clock."),
    _gauge("epochs", "Epochs that came as far as: ended, settled, committed, final.", "stage"),
    _gauge("lag_epochs", "Epochs that ended, but are not yet: settled, committed, final.", "stage"),
    _gauge("transactions_live", "Transactions that wait to be mined, by purpose.", "purpose"),
    _gauge("registrations_pending", "Registrations that wait to be relayed, up to 1000."),
    _gauge("poster_balance_wei", "Ether of the poster's account."),
    _gauge("bond_wei", "The poster's bond."),
    _gauge("bond_required_wei", "The bond without which nothing can be committed."),
    _gauge("nodes", "Registered nodes: healthy ones get viewers, unhealthy ones none.", "health"),
    _gauge("disk_free_bytes", "Room on the disk of: bundles, database (SQLite's alone).", "folder"),
    _gauge("sessions_open", "Tickets that have not expired."),
    _gauge("suspicions", "Suspicions against nodes that hold, by code.", "code"),
    _gauge("appeals_waiting", "Appeals of nodes that wait for an answer, up to 1000."),
)


class Metrics:
    """The instruments of one process, in a registry of their own."""

    def __init__(self) -> None:
        self._observation: Observation | None = None
        self.leads: Callable[[], bool] = lambda: False
        """Whether this process leads, asked whenever the metrics are read."""
        self.registry = registry_of(OBSERVED, self._observed)
        self._requests = Counter(
            _P + "requests_total",
            "Requests that were answered, by route and HTTP status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            _P + "request_seconds",
            "From a request's headers to the end of its answer.",
            ("method", "route"),
            buckets=REQUEST_BUCKETS,
            registry=self.registry,
        )
        self._records = Counter(
            _P + "records_total",
            "Session records that were judged: accepted, or the name of the rejection's code.",
            ("code",),
            registry=self.registry,
        )
        self._ticket_asks = Counter(
            _P + "ticket_asks_total",
            "Tickets that streamers' signers were to sign: signed, refused, silent (no answer), busy (not asked).",
            ("outcome",),
            registry=self.registry,
        )
        self._job_runs = Counter(
            _P + "job_runs_total",
            "Runs of each job: done, failed (met again at the next tick), crashed (a bug).",
            ("name", "outcome"),
            registry=self.registry,
        )
        self._job_seconds = Counter(
            _P + "job_seconds_total",
            "Time that each job took.",
            ("name",),
            registry=self.registry,
        )
        self._job_success = Gauge(
            _P + "job_success_timestamp_seconds",
            "When each job was last done.",
            ("name",),
            registry=self.registry,
        )
        self._transactions = Counter(
            _P + "transactions_total",
            "Transactions that ended: mined, reverted, dropped (replaced), taken (nonce used elsewhere).",
            ("purpose", "state"),
            registry=self.registry,
        )
        self._voided = Counter(
            _P + "headers_voided_total",
            "Headers of ours that were taken from the chain.",
            registry=self.registry,
        )
        self._probes = Counter(
            _P + "probes_total",
            "Hidden probes of nodes that ended: ok, unserved, corrupt, slow, void (nobody is to blame).",
            ("outcome",),
            registry=self.registry,
        )
        self._probe_bytes = Counter(
            _P + "probe_bytes_total",
            "Bytes of objects that probes got from nodes, which are paid for them as for a viewer's.",
            registry=self.registry,
        )
        self._write_seconds = Histogram(
            _P + "database_write_seconds",
            "Write transactions of the database, with the wait for their turn.",
            buckets=WRITE_BUCKETS,
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is a template of ours, never a path."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(method, route).observe(seconds)

    def judged(self, judgement: Judgement) -> None:
        """Count a batch's records."""
        if judgement.accepted:
            self._records.labels("accepted").inc(len(judgement.accepted))
        for rejected in judgement.rejected:
            self._records.labels(rejected.code.name.lower()).inc()

    def asked(self, outcome: str) -> None:
        """Count a ticket that a streamer's signer was to sign."""
        self._ticket_asks.labels(outcome).inc()

    def ran(self, job: str, outcome: str, seconds: float) -> None:
        """Count a run of a job."""
        self._job_runs.labels(job, outcome).inc()
        self._job_seconds.labels(job).inc(seconds)
        if outcome == "done":
            self._job_success.labels(job).set(time.time())

    def ended(self, purpose: str, state: str) -> None:
        """Count a transaction that waits no longer."""
        self._transactions.labels(purpose, state).inc()

    def voided(self, headers: int) -> None:
        """Count headers that the chain let go of."""
        self._voided.inc(headers)

    def probed(self, outcome: str, bytes_received: int) -> None:
        """Count a probe that ended."""
        self._probes.labels(outcome).inc()
        self._probe_bytes.inc(bytes_received)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Measure a write transaction."""
        with self._write_seconds.time():
            yield

    def show(self, observation: Observation) -> None:
        """Show this from now on."""
        self._observation = observation

    def _observed(self) -> Mapping[str, Values]:
        """Return what was observed last: who leads alone in a process that observes nothing, as it only serves."""
        leader: dict[str, Values] = {LEADER.name: self.leads()}
        seen = self._observation
        if seen is None:
            return leader
        read = seen.newest.number if seen.read_until is None else seen.read_until.number
        stages = {
            "ended": seen.ended,
            "settled": seen.settled,
            "committed": seen.committed,
            "final": seen.final,
        }
        values: dict[str, Values] = {
            "block": seen.newest.number,
            "block_lag_blocks": seen.newest.number - read,
            "block_age_seconds": seen.time - seen.newest.time,
            "epochs": {(stage,): count for stage, count in stages.items()},
            "lag_epochs": {
                (stage,): max(seen.ended - count, 0)
                for stage, count in stages.items()
                if stage != "ended"
            },
            "transactions_live": {
                (purpose,): seen.live_transactions.get(purpose, 0) for purpose in get_args(Purpose)
            },
            "registrations_pending": seen.pending_registrations,
            "poster_balance_wei": seen.poster_balance_wei,
            "bond_wei": seen.book.bond_wei,
            "bond_required_wei": seen.book.required_bond_wei,
            "nodes": {
                ("healthy",): seen.healthy_nodes,
                ("unhealthy",): seen.nodes - seen.healthy_nodes,
            },
            "disk_free_bytes": {(name,): free for name, free in seen.disk_free_bytes.items()},
            "sessions_open": seen.open_sessions,
            "suspicions": {(name,): count for name, count in seen.suspicions.items()},
            "appeals_waiting": seen.waiting_appeals,
        }
        return leader | {_P + name: value for name, value in values.items()}
