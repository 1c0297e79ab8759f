"""A JSON-RPC endpoint in front of a chain that can hold transactions back, or swallow the answer."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

from streamrp2p.keccak import keccak
from tests.support.secrets import RPC_KEY, with_credentials

Mode = Literal["open", "hold", "swallow"]


class Gate:
    """Watches `eth_sendRawTransaction` for a call that begins with `needle`; `reached` is set when it comes by.

    hold: it is never passed on, and never answered. swallow: it is passed on, but its answer never comes back.
    That may be for replacements alone; what they replace, `lost`, is then accepted as often as it comes, and kept back.
    """

    def __init__(self, upstream: str) -> None:
        self.mode: Mode = "open"
        self.reached = threading.Event()
        self._stopping = threading.Event()
        self._upstream = urlsplit(upstream)
        self._needle = b""
        self._loses_first = False
        self.lost: str | None = None
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mode = gate.mode if gate.concerns(body) else "open"
                answer = None if mode == "hold" else gate.answer(body)
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

    def close(self, mode: Mode, needle: bytes, *, to_replacements: bool = False) -> None:
        """Let no transaction with that call through, or lose the first and let through none that replaces it."""
        self.reached.clear()
        self._needle, self.mode = needle, mode
        self._loses_first, self.lost = to_replacements, None

    def open(self) -> None:
        """Let everything through."""
        self.mode, self._loses_first, self.lost = "open", False, None

    def concerns(self, body: bytes) -> bool:
        raw = _sent(body)
        if raw is None or self._needle.hex() not in raw:
            return False
        if self._loses_first and self.lost is None:
            self.lost = raw
        return raw != self.lost

    def answer(self, body: bytes) -> bytes:
        raw = _sent(body)
        if raw is None or raw != self.lost:
            return self._forwarded(body)
        accepted = "0x" + keccak(bytes.fromhex(raw[2:])).hex()
        return json.dumps(
            {"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": accepted}
        ).encode()

    def _forwarded(self, body: bytes) -> bytes:
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


def _sent(body: bytes) -> str | None:
    request = json.loads(body)
    if not isinstance(request, dict) or request["method"] != "eth_sendRawTransaction":
        return None
    raw = request["params"][0]
    assert isinstance(raw, str)
    return raw
