"""Traces leave for a collector if one is named, and are no trouble if none is or it is down."""

import subprocess
import sys
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs

from streamrp2p.open_telemetry import ToldExporter
from streamrp2p.traces import NO_TRACES, TracesError, traces_to
from tests.support.collector import collecting
from tests.support.spans import KeptTraces

SECRET = "key-5f0c"
TAKEN, REFUSED = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


def test_without_an_endpoint_nothing_is_imported() -> None:
    assert traces_to(None, "node") is NO_TRACES


@pytest.mark.parametrize(
    "endpoint",
    [
        "127.0.0.1:4318",
        "grpc://collector.example:4317",
        "http://",
        "http://host:0",
        "http://[1",
        "",
    ],
)
def test_what_is_no_collectors_url_is_refused_at_the_start(endpoint: str) -> None:
    with pytest.raises(TracesError, match="a collector's whole URL"):
        traces_to(endpoint, "node")


def test_the_refusal_repeats_no_secret() -> None:
    with pytest.raises(TracesError) as refused:
        traces_to(f"ftp://operator:{SECRET}@collector.example/?token={SECRET}", "node")
    assert SECRET not in str(refused.value)


def test_a_root_is_within_nothing_and_what_begins_in_it_is_within_it() -> None:
    traces = KeptTraces("node")
    with traces.span("request"):
        with traces.span("fetch", is_root=True), traces.span("part"):
            pass
        with traces.span("step"):
            pass
    request, fetch = traces.one("request"), traces.one("fetch")
    assert (request.parent, fetch.parent) == (None, None)
    assert traces.one("part").parent == fetch.context
    assert traces.one("step").parent == request.context


def test_a_collector_that_takes_nothing_is_told_of_once_and_so_is_its_recovery() -> None:
    results = [TAKEN, REFUSED, REFUSED, TAKEN, TAKEN]

    class Collector(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return results.pop(0)

    exporter = ToldExporter(Collector())
    with capture_logs() as logged:
        assert [exporter.export([]) for _ in range(5)] == [TAKEN, REFUSED, REFUSED, TAKEN, TAKEN]
    assert [line["event"] for line in logged] == ["traces_not_taken", "traces_taken_again"]


@pytest.mark.integration
@pytest.mark.parametrize(
    "module",
    [
        "streamrp2p_coordinator.assembly",
        "streamrp2p_node.daemon",
        "streamrp2p_node.claim_command",
        "streamrp2p_auditor.watch",
        "streamrp2p_signer.service",
    ],
)
def test_an_actor_without_traces_does_not_load_opentelemetry(module: str) -> None:
    code = f"import sys, {module}; sys.exit('opentelemetry.sdk' in sys.modules)"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


@pytest.mark.integration
def test_a_collector_gets_the_spans() -> None:
    with collecting() as collector:
        traces = traces_to(collector.url, "coordinator")
        with traces.span("job settle"):
            pass
        traces.close()
    assert collector.paths == ["/v1/traces"]
    assert b"streamrp2p-coordinator" in collector.body
    assert b"job settle" in collector.body
