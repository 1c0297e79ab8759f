"""Servers that do not behave: mirrors that lie, drip or never end, and an RPC that swallows transactions."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any

from tests.support.loopback import http_server


class Behaviour(Enum):
    """What a mirror does instead of its work."""

    OTHER_BYTES = "other bytes"
    GARBAGE = "garbage"
    SLOW = "slow"
    ENDLESS = "endless"


def _pieces(behaviour: Behaviour, lie: bytes, stopped: Event) -> Iterator[bytes]:
    if behaviour == Behaviour.OTHER_BYTES:
        yield lie
    elif behaviour == Behaviour.GARBAGE:
        yield b"\0<html>" * 99
    elif behaviour == Behaviour.SLOW:
        while not stopped.wait(0.5):
            yield b"\0"
    else:
        # Without end, but slow enough not to fill this machine's memory.
        while not stopped.wait(0.01):
            yield bytes(10_000)


@contextmanager
def bad_mirror(behaviour: Behaviour, lie: bytes) -> Iterator[str]:
    """Run a mirror that does that, whatever it is asked for; its base URL."""
    stopped = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.end_headers()
            try:
                for piece in _pieces(behaviour, lie, stopped):
                    self.wfile.write(piece)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base has it
            pass

    with http_server(Handler) as url:
        try:
            yield url
        finally:
            stopped.set()


@dataclass
class HeldRpc:
    """An RPC that takes transactions and does not hand them on."""

    url: str = ""
    transactions: list[str] = field(default_factory=list)


@contextmanager
def held_rpc(upstream: str) -> Iterator[HeldRpc]:
    """Run an RPC in front of another."""
    held = HeldRpc()
    stopped = Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked: Any = json.loads(body)
            if isinstance(asked, dict) and asked["method"] == "eth_sendRawTransaction":
                held.transactions.append(asked["params"][0])
                stopped.wait()
                self.close_connection = True
                return
            forwarded = urllib.request.Request(  # noqa: S310 - anvil's own URL
                upstream, body, {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(forwarded) as answer:  # noqa: S310
                data = answer.read()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base has it
            pass

    with http_server(Handler) as held.url:
        try:
            yield held
        finally:
            stopped.set()
