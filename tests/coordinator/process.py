"""A real coordinator process over a real chain."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TypeVar

from streamrp2p.chain import DeployParameters
from streamrp2p.chain.rpc import request
from streamrp2p.client import CoordinatorClient
from streamrp2p.keys import create_keystore
from streamrp2p.signatures import address_of
from tests.support.anvil import running_anvil
from tests.support.chain import POSTER, TICKET_SIGNER, DeployedChain, deploy_all
from tests.support.loopback import http_server
from tests.support.secrets import assert_tells_none, with_credentials

Found = TypeVar("Found")

PASSWORD = "a password for tests"
QUICK_SCRYPT = 2
QUICK_EPOCHS = DeployParameters(
    epoch_seconds=5,
    intake_grace_seconds=2,
    challenge_seconds=4,
    bond_wei=10**18,
    poster=address_of(POSTER),
)
WAIT_SECONDS = 100


def wait_for(what: str, look: Callable[[], Found | None]) -> Found:
    """Wait until `look` finds something."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come about in {WAIT_SECONDS} s")


@contextmanager
def living_chain(
    folder: Path, parameters: DeployParameters = QUICK_EPOCHS
) -> Iterator[DeployedChain]:
    """Run a chain whose time goes on by itself, a block a second; the poster is not bonded."""
    with running_anvil(folder) as rpc_url:
        chain = deploy_all(rpc_url, folder, parameters)
        yield chain


def let_time_pass(chain: DeployedChain) -> None:
    request(chain.web3, "evm_setIntervalMining", [1])


@dataclass
class Coordinator:
    """A configuration, and the process that runs it now."""

    folder: Path
    settings: dict[str, str | int]
    port: int
    name: str = "coordinator"
    api_only: bool = False
    module: str = "streamrp2p.cli"
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    clients: list[CoordinatorClient] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / f"{self.name}.toml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return "".join(
            (self.folder / f"{self.name}.{number}.log").read_text() for number in range(self.starts)
        )

    def write(self) -> None:
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in self.settings.items()]
        self.config.write_text("".join(lines))

    def start(self) -> CoordinatorClient:
        """Start the process and wait until it is ready."""
        with (self.folder / f"{self.name}.{self.starts}.log").open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", self.module, "coordinator", "run"),
                    *("--config", self.config),
                    *(["--api-only"] if self.api_only else []),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.starts += 1
        client = CoordinatorClient(self.url)
        self.clients.append(client)
        wait_for("the coordinator", lambda: self._is_ready(client))
        return client

    def kill(self) -> None:
        """End the process as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask the process to end; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    @contextmanager
    def running(self) -> Iterator[CoordinatorClient]:
        """Start the process, and let nothing of it remain."""
        try:
            yield self.start()
        finally:
            self.end()

    def end(self) -> None:
        """Close what the test opened, and end the process if it still runs."""
        for client in self.clients:
            client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        # Whatever the test did to it: it told nobody.
        assert_tells_none(self.log, PASSWORD, POSTER, TICKET_SIGNER)

    def _is_ready(self, client: CoordinatorClient) -> bool | None:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        return client.ready() or None


@contextmanager
def coordinator_over(
    chain: DeployedChain, folder: Path, database_url: str, port: int, rpc_url: str | None = None
) -> Iterator[Coordinator]:
    """Write keystores and settings; end the process if it still runs."""
    password_file = folder / "password"
    password_file.write_text(PASSWORD + "\n")
    for name, key in (("poster", POSTER), ("ticket-signer", TICKET_SIGNER)):
        create_keystore(folder / f"{name}.json", PASSWORD, key, scrypt_n=QUICK_SCRYPT)
    coordinator = Coordinator(
        folder,
        {
            "rpc_url": rpc_url or with_credentials(chain.rpc_url),
            "deployment": str(chain.deployment_file),
            "database_url": database_url,
            "poster_keystore": "poster.json",
            "poster_password_file": "password",
            "ticket_signer_keystore": "ticket-signer.json",
            "ticket_signer_password_file": "password",
            "port": port,
            "tick_seconds": "0.2",
            "allow_local_networks": True,
            "log_format": "json",
        },
        port,
    )
    coordinator.write()
    try:
        yield coordinator
    finally:
        coordinator.end()


@contextmanager
def healthy_endpoint() -> Iterator[str]:
    """Answer health checks as a node would; its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with http_server(Handler) as url:
        yield url
