"""A real signer process, with the key and settings that `signer init` made."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from streamrp2p.numbers import Address
from streamrp2p.signer_client import SignerClient, UnreachableError
from streamrp2p_signer.cli import app
from streamrp2p_signer.folder import Folder
from tests.coordinator.process import wait_for
from tests.support.chain import DeployedChain
from tests.support.ports import find_free_port
from tests.support.secrets import assert_tells_none

CHECKOUT = Path(__file__).parents[2]
CLI = (sys.executable, "-m", "streamrp2p.cli", "signer")
DYING = (sys.executable, "-m", "tests.signer.dying")
"""The same process, but that it dies where it has logged a ticket and not signed it yet."""


@dataclass
class Signer:
    """A signer's folder, and the process that runs in it now."""

    folder: Path
    port: int
    address: Address
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve_pool(self, pool_id: int, **limits: int | str) -> None:
        """Add a pool's table to the settings."""
        lines = [f"{name} = {json.dumps(value)}" for name, value in limits.items()]
        with Folder(self.folder).settings.open("a") as file:
            file.write("\n".join(["", f"[pools.{pool_id}]", *lines, ""]))

    def start(self, command: tuple[str, ...] = CLI) -> None:
        """Start the process and wait until it answers."""
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [*command, "run", "--dir", self.folder, "--log-format", "json"],
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_for("the signer", self._answers)

    def status(self) -> dict[str, Any]:
        """Return what `signer status` prints."""
        return told("status", "--dir", str(self.folder))

    def wait_for_death(self) -> int:
        """Return how the process ended by itself."""
        assert self.process is not None
        return self.process.wait(60)

    def stop(self) -> int:
        """Ask the process to end; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    def end(self) -> None:
        """Let nothing of the process remain, and look that it told no secret."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        assert_tells_none((self.folder / "output").read_text(), Folder(self.folder).load_key())

    def _answers(self) -> bool | None:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "output").read_text()
        try:
            with SignerClient(self.url) as client:
                return client.facts().ticket_signer == self.address or None
        except UnreachableError:
            return None


def told(*arguments: str) -> dict[str, Any]:
    """Run one of the signer's commands, which must succeed; the JSON that it prints."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


@contextmanager
def signer_over(chain: DeployedChain, folder: Path) -> Iterator[Signer]:
    """Make a signer for a chain; it serves no pool and does not run yet."""
    port = find_free_port()
    made = told(
        *("init", "--dir", str(folder), "--rpc", chain.rpc_url),
        *("--deployment", str(chain.deployment_file), "--port", str(port)),
    )
    signer = Signer(folder, port, Address(bytes.fromhex(made["ticketSigner"][2:])))
    (folder / "output").touch()
    try:
        yield signer
    finally:
        signer.end()
