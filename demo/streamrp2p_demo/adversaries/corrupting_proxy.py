"""A relay's public face that flips one byte of every media object, after some honest ones.

The relay behind it is an honest node, so all but the corruption is real: sessions, receipts,
submission. Each media response is written to a ledger, from which the demo judges what was paid.
"""

import argparse
import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from streamrp2p.api import SESSION_HEADER

UPSTREAM_TIMEOUT_SECONDS = 15.0
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server"}
)


@dataclass(frozen=True, slots=True)
class ServedObject:
    """One media response: `length_bytes` of an object, as they were or corrupted."""

    session_id: str
    name: str
    length_bytes: int
    is_corrupt: bool


@dataclass(slots=True)
class ObjectLedger:
    """Counts the objects that pass, says which are corrupted and writes all down, a JSON line each."""

    path: Path
    honest_objects: int
    """How many pass unharmed before the corruption begins."""
    passed: int = 0
    lock: Lock = field(default_factory=Lock)

    def judge(self, session_id: str, name: str, body: bytes) -> bytes:
        """Return the bytes to serve for an object: those of the relay, or one flipped among them."""
        with self.lock:
            is_corrupt = self.passed >= self.honest_objects
            self.passed += 1
            entry = ServedObject(session_id, name, len(body), is_corrupt)
            with self.path.open("a") as file:
                file.write(json.dumps(asdict(entry)) + "\n")
        return flip_byte(body) if is_corrupt else body


def command(port: int, upstream: str, ledger: Path, *, honest_objects: int) -> list[str]:
    """Return the command line of a proxy at `port` of the loopback interface."""
    return [
        *(sys.executable, "-m", __name__, "--port", str(port), "--upstream", upstream),
        *("--honest-objects", str(honest_objects), "--ledger", str(ledger)),
    ]


def read_ledger(path: Path) -> list[ServedObject]:
    """Return what a proxy served, oldest first; nothing if it served nothing."""
    if not path.exists():
        return []
    # The proxy may be writing the last line now.
    lines = path.read_text().splitlines(keepends=True)
    return [ServedObject(**json.loads(line)) for line in lines if line.endswith("\n")]


def flip_byte(body: bytes) -> bytes:
    """Return `body`, of the same length, with its middle byte inverted; an empty one stays so."""
    if not body:
        return body
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 0xFF]) + body[middle + 1 :]


def is_object(method: str, path: str, status: int) -> bool:
    """Tell whether an answer carries a media object: not a playlist or path, not a problem."""
    return (
        method == "GET"
        and status == 200  # noqa: PLR2004 - OK
        and path.startswith("/v1/streams/")
        and not path.endswith((".m3u8", "/path"))
    )


def serve(port: int, upstream: str, ledger: ObjectLedger) -> None:
    """Serve on the loopback interface until the process is asked to end."""
    target = urlsplit(upstream)
    host, upstream_port = target.hostname or "127.0.0.1", target.port or 80

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _relay(self) -> None:
            request_body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                status, headers, body = self._ask(request_body)
            except (OSError, HTTPException) as error:
                self._answer(502, {"Content-Type": "text/plain"}, str(error).encode())
                return
            path = urlsplit(self.path).path
            if is_object(self.command, path, status):
                session_id = self.headers.get(SESSION_HEADER, "")
                body = ledger.judge(session_id, path.rpartition("/")[2], body)
            self._answer(status, headers, body)

        do_GET = do_POST = do_OPTIONS = _relay  # noqa: N815 - http.server's names

        def _ask(self, request_body: bytes) -> tuple[int, Mapping[str, str], bytes]:
            connection = HTTPConnection(host, upstream_port, timeout=UPSTREAM_TIMEOUT_SECONDS)
            try:
                headers = _forwarded(dict(self.headers.items()))
                connection.request(self.command, self.path, request_body or None, headers)
                answer = connection.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read()
            finally:
                connection.close()

        def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in _forwarded(headers).items():
                self.send_header(name, value)
            if status != 204:  # noqa: PLR2004 - No Content has no length
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


def _forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True, help="the relay's own URL")
    parser.add_argument("--honest-objects", type=int, required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    arguments = parser.parse_args()
    serve(
        arguments.port,
        arguments.upstream,
        ObjectLedger(arguments.ledger, arguments.honest_objects),
    )


if __name__ == "__main__":
    main()
