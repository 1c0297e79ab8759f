"""What a running node shows to its operator's Prometheus. No label names a viewer, a session or an address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from streamrp2p.monitoring import Reading, Values
from streamrp2p_node.presence import Reach
from streamrp2p_node.status import NodeStatus, PoolStatus, Reporter, UpstreamStatus

_P = "streamrp2p_node_"


def _gauge(name: str, help_text: str, *labels: str) -> Reading:
    return Reading(GaugeMetricFamily, _P + name, help_text, labels)


def _counter(name: str, help_text: str, *labels: str) -> Reading:
    return Reading(CounterMetricFamily, _P + name, help_text, labels)


READINGS = (
    _counter("sent_bytes_total", "Bytes of objects that were handed to the network.", "pool"),
    _counter("unsent_bytes_total", "Those among them that did not leave: the viewer hung up.", "pool"),
    _counter("fetched_bytes_total", "Bytes that came from the origin or other relays.", "pool", "upstream"),
    _counter("fetched_objects_total", "Objects that came from the origin or other relays.", "pool", "upstream"),
    _gauge("sessions_open", "Sessions of the epochs whose intake is open.", "pool"),
    _gauge("sessions_stopped", "Those among them that are served no more: a receipt was rejected."),
    _gauge("unpaid_bytes", "Bytes that no receipt covers yet.", "pool"),
    _counter("refusals_total", "Requests that were refused; payment-required is a viewer out of credit.", "reason"),
    _counter("batches_total", "Batches: sent (again, too), acknowledged, refused for ever.", "outcome"),
    _counter("records_total", "Records that were judged: accepted, or the name of the rejection's code.", "code"),
    _gauge("receipts_due", "Receipts that wait for an acknowledgement."),
    _gauge("backlog_seconds", "How long receipts wait since all that was due was handed in; 0 if none does."),
    _gauge("cache_bytes", "Size of the segment cache: disk, memory.", "tier"),
    _gauge("cache_limit_bytes", "What the cache may take on disk."),
    _gauge("cache_disk_full", "1 while the cache cannot write to its disk."),
    _gauge("month_bytes", "Bytes of objects that left in this calendar month (UTC)."),
    _gauge("month_limit_bytes", "What may leave in a month; absent without a bound."),
    _gauge("doors_open", "1 while new viewers are let in; 0 while draining, beyond a bound or off schedule."),
    _gauge("reachability", "1 for the state that the last look from outside found.", "state"),
    _gauge("coordinator_age_seconds", "Since the coordinator's last answer; absent before the first."),
    _gauge("clock_skew_seconds", "How far this machine's clock is ahead of the coordinator's."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NodeMetrics:
    """Reads a node's numbers; to be asked on the node's event loop."""

    reporter: Reporter

    def read(self) -> Mapping[str, Values]:
        """Return the numbers of now, by the names of READINGS."""
        status = self.reporter.report()
        relay, submitter = self.reporter.relay, self.reporter.submitter
        values: dict[str, Values] = {
            # What is given back lowers the bytes served, which a counter must not do.
            "sent_bytes_total": {
                (str(pool),): served + relay.bytes_unsent[pool]
                for pool, served in relay.bytes_served.items()
            },
            "unsent_bytes_total": {
                (str(pool),): unsent for pool, unsent in relay.bytes_unsent.items()
            },
            "fetched_bytes_total": _upstreams(status, lambda one: one.bytes_received),
            "fetched_objects_total": _upstreams(status, lambda one: one.objects_fetched),
            "sessions_open": _by_pool(status, lambda pool: pool.sessions),
            "sessions_stopped": status.stopped_sessions,
            "unpaid_bytes": _by_pool(status, lambda pool: pool.unpaid_bytes),
            "refusals_total": {(reason,): count for reason, count in relay.refusals.items()},
            "batches_total": {(outcome,): count for outcome, count in submitter.batches.items()},
            "records_total": {(code,): count for code, count in submitter.records.items()},
            "receipts_due": status.unsubmitted_receipts,
            "backlog_seconds": submitter.backlog_seconds(),
            "cache_bytes": {
                ("disk",): status.cache.disk_bytes,
                ("memory",): status.cache.memory_bytes,
            },
            "cache_limit_bytes": status.cache.max_disk_bytes,
            "cache_disk_full": status.cache.has_full_disk,
            "month_bytes": status.month.bytes_served,
            "doors_open": status.closed_because is None,
            "reachability": {
                (state,): float(state is status.reachability.state) for state in Reach
            },
            "clock_skew_seconds": status.clock_skew_seconds,
        }
        if status.month.max_bytes is not None:
            values["month_limit_bytes"] = status.month.max_bytes
        age = self.reporter.view.answer_age_seconds
        if age is not None:
            values["coordinator_age_seconds"] = age
        return {_P + name: value for name, value in values.items()}


def _by_pool(
    status: NodeStatus, number: Callable[[PoolStatus], int]
) -> Mapping[tuple[str, ...], float]:
    return {(str(pool.pool_id),): number(pool) for pool in status.pools}


def _upstreams(
    status: NodeStatus, number: Callable[[UpstreamStatus], int]
) -> Mapping[tuple[str, ...], float]:
    return {
        (str(pool.pool_id), name): number(upstream)
        for pool in status.pools
        for name, upstream in (("origin", pool.origin), ("relays", pool.relays))
    }
