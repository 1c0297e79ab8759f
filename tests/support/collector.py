"""A collector of traces on a real socket, as an operator would run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.support.loopback import http_server


@dataclass
class Collector:
    """Keeps what it was sent. `url` takes traces."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    body: bytes = b""
    """Of all requests, one after the other."""


@contextmanager
def collecting() -> Iterator[Collector]:
    """Collect until the block ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.body += self.rfile.read(int(self.headers["Content-Length"]))
            collector.paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with http_server(Handler) as url:
        collector.url = f"{url}/v1/traces"
        yield collector
