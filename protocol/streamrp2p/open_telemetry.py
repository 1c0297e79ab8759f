"""Traces by OpenTelemetry's SDK, which is an extra: only `traces` imports this."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status, StatusCode
from typing_extensions import override

from streamrp2p.traces import Span, Traces, Value

log = structlog.get_logger("traces")


class _SentSpan(Span):
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @override
    def rename(self, name: str) -> None:
        self._span.update_name(name)

    @override
    def set(self, name: str, value: Value) -> None:
        self._span.set_attribute(name, value)

    @override
    def fail(self) -> None:
        self._span.set_status(Status(StatusCode.ERROR))


class SentTraces(Traces):
    """Hands spans to a processor, which sends them."""

    def __init__(self, processor: SpanProcessor, actor: str) -> None:
        resource = Resource({"service.name": f"streamrp2p-{actor}"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("streamrp2p")

    @override
    @contextmanager
    def span(self, name: str, *, is_root: bool = False) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
            Context() if is_root else None,
            # Its text may hold what is secret, such as the URL of an RPC.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            shown = _SentSpan(span)
            try:
                yield shown
            except BaseException:
                shown.fail()
                raise

    @override
    def close(self) -> None:
        self._provider.shutdown()


class ToldExporter(SpanExporter):
    """Tells once when a collector takes no spans, and once when it does again.

    The library would tell it each time and with the whole URL, which may hold a key.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._is_taken = True

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        was_taken, self._is_taken = self._is_taken, result is SpanExportResult.SUCCESS
        if was_taken and not self._is_taken:
            log.warning(
                "traces_not_taken",
                advice="see that the collector runs, and the traces endpoint is its URL",
            )
        elif self._is_taken and not was_taken:
            log.info("traces_taken_again")
        return result

    @override
    def shutdown(self) -> None:
        self._exporter.shutdown()
