"""Requests and jobs become spans, if a collector is named, and say nothing that is secret."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from queue import Queue

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from streamrp2p.http_api import UnreachableError
from streamrp2p.open_telemetry import SentTraces
from streamrp2p.traces import NO_TRACES, traces_to
from streamrp2p_coordinator import jobs
from streamrp2p_coordinator.services import Services
from tests.coordinator.world import World
from tests.support.loopback import http_server

SECRET = "key-5f0c"


@pytest.fixture
def kept(world: World) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    world.services.traces = SentTraces(SimpleSpanProcessor(exporter), "coordinator")
    yield exporter
    world.services.traces.close()


def test_a_request_is_a_span_with_its_route_status_and_id(
    world: World, kept: InMemorySpanExporter
) -> None:
    headers = {"X-Request-Id": "0123456789abcdef", "Authorization": f"Bearer {SECRET}"}
    world.request("GET", f"/v1/pools/9?token={SECRET}", headers=headers)
    (span,) = kept.get_finished_spans()
    assert span.name == "GET /v1/pools/{poolId}"
    assert dict(span.attributes or {}) == {
        "request.id": "0123456789abcdef",
        "http.response.status_code": 404,
    }
    assert span.resource.attributes["service.name"] == "streamrp2p-coordinator"
    assert SECRET not in span.to_json()


def test_a_job_that_fails_is_a_failed_span_without_its_reason(
    world: World, kept: InMemorySpanExporter
) -> None:
    def fail(_: Services) -> None:
        raise UnreachableError(f"https://rpc.example/{SECRET} does not answer")

    jobs._step("settle", world.services, fail)
    (span,) = kept.get_finished_spans()
    assert (span.name, span.status.is_ok) == ("job settle", False)
    assert SECRET not in span.to_json()


def test_without_an_endpoint_nothing_is_imported() -> None:
    assert traces_to(None, "coordinator") is NO_TRACES


@pytest.mark.integration
def test_a_coordinator_without_traces_does_not_load_opentelemetry() -> None:
    code = (
        "import sys, streamrp2p_coordinator.assembly; sys.exit('opentelemetry.sdk' in sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


@pytest.mark.integration
def test_a_collector_gets_the_spans() -> None:
    paths: Queue[tuple[str, bytes]] = Queue()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            paths.put((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with http_server(Collector) as url:
        traces = traces_to(f"{url}/v1/traces", "coordinator")
        with traces.span("job settle"):
            pass
        traces.close()
        path, body = paths.get(timeout=60)
    assert path == "/v1/traces"
    assert b"streamrp2p-coordinator" in body
