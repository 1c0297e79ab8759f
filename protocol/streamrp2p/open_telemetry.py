"""Traces by OpenTelemetry's SDK, which is an extra: only `traces` imports this."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import Status, StatusCode
from typing_extensions import override

from streamrp2p.traces import Span, Traces, Value


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
    def span(self, name: str) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
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
