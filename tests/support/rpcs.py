"""RPCs in front of one chain that freeze, fall behind, or serve another chain."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.support.loopback import http_server

FROZEN_SECONDS = 60


@dataclass
class Rpc:
    """What an RPC does now. `shown_block`: the newest that it shows; `chain_id`: what it says instead of the truth."""

    url: str = ""
    is_frozen: bool = False
    shown_block: int | None = None
    chain_id: int | None = None
    asked: list[str] = field(default_factory=list)
    """The methods of all requests."""
    _stopping: threading.Event = field(default_factory=threading.Event)

    def answer(self, upstream: str, body: bytes) -> bytes | None:
        """Return the chain's answer as this RPC gives it; None, much later, while it is frozen."""
        asked = json.loads(body)
        requests = asked if isinstance(asked, list) else [asked]
        self.asked += [request["method"] for request in requests]
        if self.is_frozen:
            self._stopping.wait(FROZEN_SECONDS)
            return None
        if self.shown_block is not None:
            for request in requests:
                request["params"] = [self._block(one) for one in request["params"]]
        connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=30)
        try:
            connection.request("POST", "/", json.dumps(asked), {"Content-Type": "application/json"})
            answered = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        answers = answered if isinstance(answered, list) else [answered]
        by_id = {one["id"]: one for one in answers}
        for request in requests:
            if request["method"] == "eth_chainId" and self.chain_id is not None:
                by_id[request["id"]]["result"] = hex(self.chain_id)
            if request["method"] == "eth_blockNumber" and self.shown_block is not None:
                by_id[request["id"]]["result"] = hex(self.shown_block)
        return json.dumps(answered).encode()

    def stop(self) -> None:
        self._stopping.set()

    def _block(self, parameter: Any) -> Any:  # noqa: ANN401 - JSON
        assert self.shown_block is not None
        return hex(self.shown_block) if parameter in ("latest", "pending") else parameter


@contextmanager
def rpc_before(upstream: str) -> Iterator[Rpc]:
    """Serve an RPC of its own in front of a chain."""
    rpc = Rpc()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            answer = rpc.answer(upstream, self.rfile.read(int(self.headers["Content-Length"])))
            if answer is None:
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with http_server(Handler) as rpc.url:
        try:
            yield rpc
        finally:
            rpc.stop()
