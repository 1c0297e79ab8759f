"""A JSON-RPC endpoint in front of a chain that can hold transactions back, or swallow the answer."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

from tests.support.secrets import RPC_KEY, with_credentials

Mode = Literal["open", "hold", "swallow"]


class Gate:
    """Watches `eth_sendRawTransaction` for a call that begins with `needle`; `reached` is set when it comes by.

    hold: it is never passed on, and never answered. swallow: it is passed on, but its answer never comes back.
    """

    def __init__(self, upstream: str) -> None:
        self.mode: Mode = "open"
        self.reached = threading.Event()
        self._stopping = threading.Event()
        self._upstream = urlsplit(upstream)
        self._needle = b""
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mode = gate.mode if gate.concerns(body) else "open"
                answer = None if mode == "hold" else gate.forward(body)
                if mode != "open":
                    gate.reached.set()
                    gate.stall()
                    self.close_connection = True
                    return
                assert answer is not None
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return with_credentials(f"http://127.0.0.1:{self._server.server_address[1]}", f"/{RPC_KEY}")

    def close(self, mode: Mode, needle: bytes) -> None:
        """Let no transaction with that call through."""
        self.reached.clear()
        self._needle, self.mode = needle, mode

    def concerns(self, body: bytes) -> bool:
        request = json.loads(body)
        return (
            isinstance(request, dict)
            and request["method"] == "eth_sendRawTransaction"
            and self._needle.hex() in request["params"][0]
        )

    def forward(self, body: bytes) -> bytes:
        connection = http.client.HTTPConnection(self._upstream.netloc, timeout=30)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            return connection.getresponse().read()
        finally:
            connection.close()

    def stall(self) -> None:
        """Never answer while the gate stands."""
        self._stopping.wait(60)

    @contextmanager
    def running(self) -> Iterator["Gate"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()
