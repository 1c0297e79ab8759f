"""The stack of `make stack`: every service ready, a stream through the node, one Ctrl-C, nothing left."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.test_demo import MARK, heeded, processes_marked

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 60
READY_SECONDS = 120
WATCHES = 5
"""On a busy machine the first viewers may leave a relay that has only just found its origin."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@contextmanager
def running_stack(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start a stack in a folder and yield its process, and what it says once all is ready."""
    with (
        heeded(signal.SIGINT),
        subprocess.Popen(
            [sys.executable, "-m", "scripts.stack", "--dir", folder, "--free-ports", "--json"],
            cwd=ROOT,
            env={**os.environ, MARK: str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield process, json.loads(line)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=STOP_SECONDS)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that PostgreSQL reaches as another user; pytest's own are closed."""
    path = Path(tempfile.mkdtemp(prefix="streamrp2p-stack-"))
    path.chmod(0o755)
    yield path / "stack"
    shutil.rmtree(path)


def test_a_stack_carries_a_stream_and_ends_with_one_ctrl_c(folder: Path) -> None:
    subprocess.run(["make", "--silent", "web"], cwd=ROOT, check=True)
    with running_stack(folder) as (process, said):
        ports, services = said["ports"], said["services"]
        for name in ("coordinator", "node", "auditor"):
            ready = httpx.get(f"http://127.0.0.1:{ports[f'{name}_metrics']}/readyz", timeout=30)
            assert (name, ready.status_code) == (name, 200), ready.text
        page = httpx.get(services["web"], timeout=30)
        assert "<title>Live stream</title>" in page.text
        assert httpx.get(f"{services['prometheus']}/-/ready", timeout=30).status_code == 200

        publish = [
            *(sys.executable, "-m", "streamrp2p.cli", "origin", "publish-test"),
            *("--rtmp", said["ingest"], "--key-file", said["streamKeyFile"], "--bitrate", "200"),
        ]
        with subprocess.Popen([*publish, "--seconds", "600"], stderr=subprocess.DEVNULL) as encoder:
            try:
                wait_for_stream(services["origin"], said["pool"])
                relayed = any(
                    relayed_bytes(services["coordinator"], said["pool"], services["node"])
                    for _ in range(WATCHES)
                )
            finally:
                encoder.terminate()
        assert relayed, "no viewer got anything through the node"

        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)
    assert process.returncode == 0
    assert processes_marked(str(folder)) == []
    assert (folder / "stack.json").exists()


def wait_for_stream(origin: str, pool: int) -> None:
    """Return once the origin has a playlist."""
    deadline = time.monotonic() + READY_SECONDS
    while not httpx.get(f"{origin}/v1/streams/{pool}/live.m3u8", timeout=30).is_success:
        assert time.monotonic() < deadline, "the origin has no stream"
        time.sleep(0.2)


def relayed_bytes(coordinator: str, pool: int, node: str) -> int:
    """Watch a few seconds; what came through the node, and not from the origin as the last resort."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "streamrp2p.cli", "viewer", "watch", "--seconds", "6"),
            *("--coordinator", coordinator, "--pool", str(pool), "--json", "-"),
        ],
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    sources = json.loads(run.stdout)["sources"]
    return sum(each["bytesDelivered"] for each in sources if each["endpoint"] == node)
