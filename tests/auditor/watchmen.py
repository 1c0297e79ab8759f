"""Real watchmen: `streamrp2p audit watch` as processes, and a receiver of their alerts."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from tests.support.chain import DeployedChain
from tests.support.loopback import http_server
from tests.support.secrets import assert_tells_none, with_credentials

Found = TypeVar("Found")

WAIT_SECONDS = 40.0


@dataclass
class Watchman:
    """One process. Its log lines are JSON."""

    process: subprocess.Popen[str]
    log_file: Path

    def log(self, event: str | None = None) -> list[dict[str, Any]]:
        """Return what it logged so far, or the lines of one event."""
        text = self.log_file.read_text()
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [line for line in lines if event in (None, line["event"])]

    def wait_for(self, event: str, **facts: object) -> dict[str, Any]:
        """Wait until it logs an event with these facts."""

        def found() -> dict[str, Any] | None:
            matching = (line for line in self.log(event) if facts.items() <= line.items())
            return next(matching, None)

        return wait_until(found, lambda: f"no {event} {facts} in:\n{self.log_file.read_text()}")

    def stop(self) -> int:
        """End it as an operator does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_SECONDS)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()
        self.process.wait(WAIT_SECONDS)


@contextmanager
def watching(
    chain: DeployedChain,
    folder: Path,
    *arguments: str,
    rpc: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Watchman]:
    """Run a watchman whose state is in `folder`; killed at the end if it still runs."""
    folder.mkdir(exist_ok=True)
    log_file = folder / f"{time.monotonic_ns()}.log"
    with log_file.open("w") as log:
        process = subprocess.Popen(
            [
                *("streamrp2p", "audit", "watch", "--poll", "0.2", *arguments),
                *("--state", str(folder / "state"), "--deployment", str(chain.deployment_file)),
                *("--rpc", rpc or with_credentials(chain.rpc_url)),
            ],
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    watchman = Watchman(process, log_file)
    try:
        yield watchman
    finally:
        if process.poll() is None:
            watchman.kill()
        assert process.stdout is not None
        process.stdout.close()
        # Whatever the test did to it: it told nobody.
        key_files = [file for name, file in pairwise(arguments) if name == "--key-file"]
        assert_tells_none(log_file.read_text(), *(Path(file).read_text() for file in key_files))


def wait_until(look: Callable[[], Found | None], complaint: Callable[[], str]) -> Found:
    """Return what `look` finds once it finds anything."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (found := look()) is None:
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.05)
    return found


@dataclass
class Receiver:
    """A webhook. It answers with `statuses` in order, then with 204."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def receiving(*statuses: int, path: str = "/alerts") -> Iterator[Receiver]:
    """Run a webhook on a loopback port."""
    receiver = Receiver(statuses=list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.paths.append(self.path)
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            if status < 300:
                receiver.bodies.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base has it
            pass

    with http_server(Handler) as url:
        receiver.url = url + path
        yield receiver
