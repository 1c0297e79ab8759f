"""The whole system, as `streamrp2p demo` runs it: real video, a real chain, adversaries, one crash."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streamrp2p.numbers import BYTES_PER_GB
from streamrp2p_demo.market import FUNDING, PRICE_PER_GB

DEMO_SECONDS = 240
"""What the demo may take after set-up."""
MARK = "STREAMRP2P_DEMO_TEST"
"""Set in the demo's environment, which every process that it starts inherits."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(DEMO_SECONDS + 60)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    folder = tmp_path_factory.mktemp("demo")
    return subprocess.run(
        demo_command(folder / "demo.json"),
        env={**os.environ, MARK: str(folder), "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def report(finished: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    folder = Path(finished.args[-1])
    assert folder.exists(), finished.stdout + finished.stderr
    loaded: dict[str, Any] = json.loads(folder.read_text())
    return loaded


def demo_command(report: Path) -> list[str]:
    return [sys.executable, "-m", "streamrp2p.cli", "demo", "--json", str(report)]


def processes_marked(folder: str) -> list[str]:
    """Return the command lines of running processes whose environment bears the mark."""
    wanted = f"{MARK}={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_the_demo_succeeds(finished: subprocess.CompletedProcess[str]) -> None:
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "checks passed" in finished.stdout


def test_three_epochs_with_sessions_are_final_and_audited_byte_identical(
    report: dict[str, Any],
) -> None:
    paying = [each for each in report["epochs"] if int(each["spend"]) > 0]

    assert len([each for each in paying if each["state"] == "final"]) >= 3
    assert {each["audit"]["verdict"] for each in report["epochs"]} == {"byte-identical"}
    assert [each["epoch"] for each in report["epochs"]] == list(range(len(report["epochs"])))


def test_spends_are_the_rule_s_for_the_weights(report: dict[str, Any]) -> None:
    for each in report["epochs"]:
        assert int(each["spend"]) == int(each["weight"]) * PRICE_PER_GB // BYTES_PER_GB


def test_every_relay_is_paid_to_the_unit_and_the_pool_adds_up(report: dict[str, Any]) -> None:
    nodes, pool = report["nodes"], report["pool"]

    assert len(nodes) == 3
    for node in nodes:
        assert int(node["balance"]) == int(node["claimed"]) == int(node["reward"]) > 0
        assert node["claimGas"] > 0
    assert int(pool["paid"]) == sum(int(node["balance"]) for node in nodes)
    assert int(pool["funded"]) == FUNDING == int(pool["paid"]) + int(pool["remaining"])


def test_six_viewers_watched_real_video(report: dict[str, Any]) -> None:
    assert len(report["viewers"]) == 6
    for viewer in report["viewers"]:
        assert viewer["exitCode"] == 0
        # A minute of 250 kbit/s is about 2 MB; the run has more than that.
        assert viewer["bytesDelivered"] > 2_000_000


def test_each_adversary_is_caught_by_its_rule(report: dict[str, Any]) -> None:
    caught = {each["name"]: each["caughtBy"] for each in report["adversaries"]}

    assert caught == {
        "over-reporting viewer": "OVER_RATE (9)",
        "corrupting relay": "SHA-256 in the origin's signed playlist",
        "double-submitting relay": "the ledger: the same record again changes nothing",
    }
    assert 9 in [code for each in report["epochs"] for code in each["rejections"]]


def test_the_killed_relay_lost_nothing(report: dict[str, Any]) -> None:
    statements = {check["name"]: check["statement"] for check in report["checks"]}

    assert "SIGKILL" in statements["killed relay"]


def test_no_process_is_left(finished: subprocess.CompletedProcess[str]) -> None:
    assert processes_marked(str(Path(finished.args[-1]).parent)) == []


@contextmanager
def heeded(number: signal.Signals) -> Iterator[None]:
    """Let child processes heed a signal that a shell made this process ignore, as it does in the background."""
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_demo_that_is_stopped_leaves_no_process(number: signal.Signals, tmp_path: Path) -> None:
    with (
        heeded(signal.SIGINT),
        subprocess.Popen(
            demo_command(tmp_path / "demo.json"),
            env={**os.environ, MARK: str(tmp_path), "TMPDIR": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as demo,
    ):
        assert demo.stdout is not None
        for line in demo.stdout:
            if "coordinator is ready" in line:
                break
        assert len(processes_marked(str(tmp_path))) > 4
        demo.send_signal(number)
        output = demo.stdout.read()

    # Without the demo to wait for them, they end by themselves.
    deadline = time.monotonic() + 15
    while processes_marked(str(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_marked(str(tmp_path)) == []
    if number is not signal.SIGKILL:
        assert demo.returncode == 130
        assert f"stopped by {number.name}" in output
        assert list(tmp_path.iterdir()) == []
