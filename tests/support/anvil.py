"""A real chain on this machine: one anvil process, on a port that the system chose."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHAIN_ID = 31337
START_SECONDS = 20
STOP_SECONDS = 10
LISTENING = re.compile(r"^Listening on (127\.0\.0\.1:\d+)$", re.MULTILINE)


class AnvilError(Exception):
    """Anvil did not start."""


@contextmanager
def running_anvil(folder: Path, *options: str) -> Iterator[str]:
    """Start anvil, yield its RPC URL, and stop that process; its log is left in `folder`."""
    log = folder / "anvil.log"
    command = ["anvil", "--host", "127.0.0.1", "--port", "0", "--chain-id", str(CHAIN_ID), *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield f"http://{_address(process, log)}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until anvil says where it listens: with port 0 the system chooses, so no two collide."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if found := LISTENING.search(log.read_text()):
            return found[1]
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise AnvilError(f"anvil did not start; its log says:\n{log.read_text()}")
