"""Every daemon's log: events with keys, for people or for machines, on standard error.

An event is a name in small letters and underscores that does not change (`epoch_settled`), and all else is its keys:
what is counted has its unit in the key, what failed its `reason`, what a person should do is `advice`. A line within a
request has its `request_id`. Never a secret: keys and passwords are handed to nobody who logs, and URLs are shown
without what may be secret in them; what slips through all the same, such as a library's words, is cut here.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

from streamrp2p.foreign_text import without_credentials

QUIET_LOGGERS = {
    "alembic": logging.WARNING,
    # It repeats the URLs of receivers, which are secrets.
    "apprise": logging.CRITICAL + 1,
    # It warns of every tick that is left out while the one before waits, such as for a chain that is silent.
    "apscheduler": logging.ERROR,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    # It repeats the collector's URL; what it has to say is told by `open_telemetry`.
    "opentelemetry": logging.CRITICAL + 1,
    "uvicorn.access": logging.WARNING,
}
"""They would log each request or step: what they may still log."""

LogFormat = Literal["console", "json"]


def set_up_logs(form: LogFormat | None = None) -> None:
    """Send all log lines, our own and the libraries', through one form; None: for people at a terminal, else JSON."""
    if form is None:
        form = "console" if sys.stderr.isatty() else "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        # No local variables in tracebacks: one of them may be a key.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _without_credentials,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*last, renderer])
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name, level in QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(level)


def _without_credentials(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and "://" in value:
            event[key] = without_credentials(value)
    return event
