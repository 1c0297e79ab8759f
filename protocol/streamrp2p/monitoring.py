"""What an actor shows to its operator alone: metrics, health and readiness, on a port beside its public one.

`/metrics` is for Prometheus. `/healthz` answers 503 when the process must be restarted, `/readyz` when it works but
should get no visitors now; both name each thing that was looked at. Nothing listens unless a port is given.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, TypeAlias
from wsgiref.simple_server import WSGIRequestHandler, make_server

import structlog
from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    make_wsgi_app,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import Collector
from typing_extensions import override

from streamrp2p.errors import StreamrP2PError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_SECONDS = 10

Checks = Mapping[str, str | None]
"""What was looked at: by name what is wrong with it, or None."""
Facts = Mapping[str, str | int | bool]
Values: TypeAlias = float | Mapping[tuple[str, ...], float]
"""One number, or one for each combination of labels."""

# Each counter would bring another series, with the time of its first count.
disable_created_metrics()  # type: ignore[no-untyped-call]

log = structlog.get_logger("monitoring")


class MonitoringError(StreamrP2PError):
    """The metrics' port cannot be listened on."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric whose numbers are somewhere already, and read when they are asked for."""

    kind: type[CounterMetricFamily | GaugeMetricFamily]
    name: str
    help: str
    labels: tuple[str, ...] = ()

    def family(self, values: Values | None = None) -> Metric:
        """Return the metric with these numbers, or with none."""
        family = self.kind(self.name, self.help, labels=self.labels)
        if isinstance(values, Mapping):
            for labels, value in values.items():
                family.add_metric(labels, value)
        elif values is not None:
            family.add_metric((), values)
        return family


class Readings(Collector):
    """Metrics that `read` gives by name. One that it leaves out is not known now, which is not zero."""

    def __init__(
        self, readings: Sequence[Reading], read: Callable[[], Mapping[str, Values]]
    ) -> None:
        self.readings = readings
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Return every metric without numbers: the registry looks for names that come twice."""
        return [reading.family() for reading in self.readings]

    @override
    def collect(self) -> Iterable[Metric]:
        """Return every metric with the numbers of now."""
        values = self._read()
        return [reading.family(values.get(reading.name)) for reading in self.readings]


def registry_of(
    readings: Sequence[Reading], read: Callable[[], Mapping[str, Values]]
) -> CollectorRegistry:
    """Return a registry of these readings, and of what the process takes of its machine."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(Readings(readings, read))
    return registry


@dataclass(frozen=True, slots=True)
class Monitored:
    """What is shown. The looks are called from other threads and may take REQUEST_SECONDS."""

    registry: CollectorRegistry
    health: Callable[[], Checks]
    readiness: Callable[[], Checks]
    facts: Callable[[], Facts] = dict
    """What `/readyz` tells beside, and no status depends on."""


@contextmanager
def monitoring(monitored: Monitored, port: int | None, host: str) -> Iterator[None]:
    """Show it while the block runs; without a port, nowhere. Raises MonitoringError."""
    if port is None:
        yield
        return
    try:
        server = make_server(host, port, wsgi_app(monitored), ThreadingWSGIServer, _QuietHandler)
    except (OSError, OverflowError) as error:
        raise MonitoringError(
            f"metrics cannot be shown at {host}:{port} ({error}); choose another metrics port or host"
        ) from error
    with server:
        thread = Thread(target=server.serve_forever, args=(0.1,), name="monitoring", daemon=True)
        thread.start()
        log.info("metrics_shown", url=f"http://{host}:{server.server_port}/metrics")
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def wsgi_app(monitored: Monitored) -> "WSGIApplication":
    """Return what answers on that port."""
    metrics: WSGIApplication = make_wsgi_app(monitored.registry)
    looks: dict[str, tuple[Callable[[], Checks], Callable[[], Facts]]] = {
        "/healthz": (monitored.health, dict),
        "/readyz": (monitored.readiness, monitored.facts),
    }

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        try:
            if path == "/metrics":
                return metrics(environ, start_response)
            if path in looks:
                checks, facts = looks[path]
                return _answer(checks(), facts(), start_response)
        except Exception:
            # Nothing that is shown may end what it is shown of, nor be taken for good.
            log.exception("look_failed", path=path)
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"this cannot be told now; the log says why\n"]
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"there are /metrics, /healthz and /readyz\n"]

    return app


def _answer(checks: Checks, facts: Facts, start_response: "StartResponse") -> Iterable[bytes]:
    is_good = not any(checks.values())
    body = {
        "status": "ok" if is_good else "failing",
        "checks": {name: trouble or "ok" for name, trouble in checks.items()},
        **facts,
    }
    start_response(
        "200 OK" if is_good else "503 Service Unavailable",
        [("Content-Type", "application/json"), ("Cache-Control", "no-store")],
    )
    return [json.dumps(body).encode() + b"\n"]


class _QuietHandler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass
