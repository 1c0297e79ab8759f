"""An actor's traces as a collector would get them, kept in memory."""

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from streamrp2p.open_telemetry import SentTraces


class KeptTraces(SentTraces):
    """Keeps each span once it has ended."""

    def __init__(self, actor: str) -> None:
        self._exporter = InMemorySpanExporter()
        super().__init__(SimpleSpanProcessor(self._exporter), actor)

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        """Return those of a name, or all, in the order of their ends."""
        ended = self._exporter.get_finished_spans()
        return [span for span in ended if name in (None, span.name)]

    def one(self, name: str) -> ReadableSpan:
        """Return the only span of a name."""
        (found,) = self.spans(name)
        return found

    def said(self) -> str:
        """Return all that left the process, as JSON."""
        return "\n".join(span.to_json() for span in self.spans())


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """Return what a span says beside its name."""
    return dict(span.attributes or {})
