"""The fake coordinator and origin over real HTTP, and the node as a real process."""

import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx

from streamrp2p.keys import create_keystore
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import NODE_KEY, FakeCoordinator
from tests.support.loopback import http_server
from tests.support.ports import find_free_port
from tests.support.secrets import assert_tells_none

PASSWORD = "correct horse"
START_SECONDS = 120.0

PLAIN = ssl.create_default_context()
"""Given to each request: httpx would load the system's certificates anew for every one, for nothing on loopback."""

Respond = Callable[[str, str, bytes], tuple[int, bytes]]


@contextmanager
def serving(respond: Respond, port: int = 0) -> Iterator[str]:
    """Answer HTTP on loopback with `respond(method, path, body)`; the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            status, body = respond(self.command, self.path, self.rfile.read(length))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that the server looks for

        def log_message(self, *_: object) -> None:
            pass

    with http_server(Handler, port) as url:
        yield url


@dataclass(slots=True)
class NodeProcess:
    """`streamrp2p node run` in a folder; started and stopped at will, its log appended to `log`."""

    folder: Path
    coordinator_url: str
    options: tuple[str, ...] = ()
    port: int = field(default_factory=find_free_port)
    key: bytes = NODE_KEY
    process: subprocess.Popen[bytes] | None = None
    tls: ssl.SSLContext | None = None
    """Whom to trust when the node serves https."""

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def prepare(self) -> None:
        """Make the folder with a key that costs nothing to open."""
        self.folder.mkdir()
        create_keystore(self.folder / "node.keystore.json", PASSWORD, self.key, scrypt_n=2)
        self.folder.with_suffix(".password").write_text(PASSWORD + "\n")

    def start(self, *, wait: bool = True) -> None:
        command = [
            sys.executable, "-m", "streamrp2p.cli", "node", "run", "--dir", str(self.folder),
            "--password-file", str(self.folder.with_suffix(".password")),
            "--coordinator", self.coordinator_url, "--endpoint", self.url, "--port", str(self.port),
            *self.options,
        ]  # fmt: skip
        environment = {
            name: value for name, value in os.environ.items() if "STREAMRP2P" not in name
        }
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        wait_for(lambda: self.answers("/healthz") == 200, self.log.read_text)

    def answers(self, path: str) -> int | None:
        """Return the status of a GET, or None when nothing answers."""
        try:
            return httpx.get(self.url + path, timeout=5, verify=self.tls or PLAIN).status_code
        except httpx.TransportError:
            return None

    def status(self) -> dict[str, Any]:
        tls = self.tls or PLAIN
        report: dict[str, Any] = httpx.get(self.url + "/v1/status", timeout=5, verify=tls).json()
        return report

    def kill(self) -> None:
        """End it as `kill -9` does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it with SIGTERM, if it still runs; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        # Whatever the test did to it: it told nobody.
        assert_tells_none(self.log.read_text(), PASSWORD, self.key)
        return code

    def events(self) -> list[dict[str, Any]]:
        """Return the log's events."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


def wait_for(is_so: Callable[[], bool], explain: Callable[[], str] = lambda: "") -> None:
    """Wait until something is so; fails with `explain()`."""
    deadline = time.monotonic() + START_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


def coordinator_answers(coordinator: FakeCoordinator) -> Respond:
    return coordinator.respond


def origin_answers(origin: FakeOrigin) -> Respond:
    return lambda _, path, __: origin.respond(path)


def waiting_origin_answers(origin: FakeOrigin) -> Respond:
    """Answer as `origin_answers`, but hold requests for a part that is not there yet."""

    def respond(_: str, path: str, __: bytes) -> tuple[int, bytes]:
        deadline = time.monotonic() + 3
        while origin.must_wait(path.partition("?")[2]) and time.monotonic() < deadline:
            time.sleep(0.01)
        return origin.respond(path)

    return respond
