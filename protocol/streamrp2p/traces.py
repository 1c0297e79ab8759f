"""Traces of what an actor does, sent by OpenTelemetry's protocol to its operator's collector; off unless one is named.

What a span says is a name and numbers that we chose: never a URL, a header or an error's text, which may hold secrets.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from streamrp2p.errors import StreamrP2PError
from streamrp2p.foreign_text import shown_url

Value = str | int | float | bool


class TracesError(StreamrP2PError):
    """Traces cannot be sent; the message says what to install or to change."""

    is_usage = True


class Span:
    """Something under way; this one, of no traces, forgets what it is told."""

    def rename(self, name: str) -> None:
        """Give another name than that of the beginning."""

    def set(self, name: str, value: Value) -> None:
        """Add an attribute."""

    def fail(self) -> None:
        """Mark it as failed."""


class Traces:
    """Makes spans; this one makes none that are kept, and costs nothing."""

    @contextmanager
    def span(self, name: str, *, is_root: bool = False) -> Iterator[Span]:
        """Yield a span that lasts as long as the block, within the one that is under way here.

        `is_root`: within none, for work that outlives or serves more than the request that happened to begin it.
        """
        del name, is_root
        yield Span()

    def close(self) -> None:
        """Send what waits."""


NO_TRACES = Traces()


def traces_to(endpoint: str | None, actor: str) -> Traces:
    """Return what sends an actor's traces to an OTLP/HTTP endpoint, such as http://127.0.0.1:4318/v1/traces.

    Without one nothing is imported or sent. Raises TracesError without the extra, and for what is no such URL.
    """
    if endpoint is None:
        return NO_TRACES
    if not _is_url(endpoint):
        raise TracesError(
            "the traces endpoint must be a collector's whole URL such as http://127.0.0.1:4318/v1/traces, got "
            f"{shown_url(endpoint)!r}"
        )
    try:
        # Here and not above: they are an extra, and take a second to import.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        from streamrp2p.open_telemetry import SentTraces, ToldExporter  # noqa: PLC0415
    except ModuleNotFoundError:
        raise TracesError(
            'traces need an extra; install it, in the checkout: pip install ".[traces]", or name no traces endpoint'
        ) from None
    # It sends from a thread of its own: a collector that is down holds nothing up.
    return SentTraces(BatchSpanProcessor(ToldExporter(OTLPSpanExporter(endpoint=endpoint))), actor)


def _is_url(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
