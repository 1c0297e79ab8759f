"""Processes of the demo end when they must, with all that they started."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamrp2p_demo.child import tail
from streamrp2p_demo.errors import ProcessDiedError
from streamrp2p_demo.processes import Supervisor

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN_CODE = """
import signal, subprocess, time
subprocess.Popen(["sleep", "61"])
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""
STUBBORN_PARENT = [sys.executable, "-c", STUBBORN_CODE]

pytestmark = pytest.mark.integration


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path) as made:
        yield made


def wait_until_up(log: Path) -> None:
    deadline = time.monotonic() + 10
    while "up" not in tail(log):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_stopping_ends_a_process_by_sigterm(supervisor: Supervisor) -> None:
    child = supervisor.start("sleeper", SLEEPER)
    wait_until_up(child.log)

    supervisor.stop_all()

    assert child.exit_code == -signal.SIGTERM
    assert supervisor.left_behind() == []


def test_a_process_that_ignores_sigterm_is_killed_with_its_children(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamrp2p_demo.processes.STOP_SECONDS", 0.3)
    child = supervisor.start("stubborn", STUBBORN_PARENT)
    wait_until_up(child.log)
    assert supervisor.left_behind() == [f"stubborn ({child.pid})"]

    supervisor.stop_all()

    assert child.exit_code == -signal.SIGKILL
    assert supervisor.left_behind() == []


def test_killing_takes_the_whole_group(supervisor: Supervisor) -> None:
    child = supervisor.start("parent", STUBBORN_PARENT)
    wait_until_up(child.log)

    supervisor.kill(child)

    assert child.exit_code == -signal.SIGKILL
    assert supervisor.left_behind() == []


def test_a_server_that_ends_is_noticed_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    child = supervisor.start(
        "server", [sys.executable, "-c", "print('no port'); raise SystemExit(3)"]
    )
    child.process.wait()

    with pytest.raises(ProcessDiedError, match="server ended with exit code 3") as caught:
        supervisor.check()

    assert caught.value.tail == "no port"


def test_a_process_that_may_end_is_not_missed(supervisor: Supervisor) -> None:
    child = supervisor.start("viewer", [sys.executable, "-c", ""], may_end=True)
    child.process.wait()

    supervisor.check()


def test_commands_return_their_standard_output_alone_by_name(supervisor: Supervisor) -> None:
    code = "import sys; print('fact'); print('noise', file=sys.stderr)"

    outputs = supervisor.run_all({"tool": [sys.executable, "-c", code], "other": ["true"]})

    assert outputs == {"tool": "fact\n", "other": ""}
    assert tail(supervisor.folder / "tool.log") == "noise"


def test_commands_run_at_the_same_time(supervisor: Supervisor) -> None:
    before = time.monotonic()

    supervisor.run_all({f"sleep-{number}": ["sleep", "1"] for number in range(5)})

    assert time.monotonic() - before < 4


def test_a_command_that_fails_is_named_with_what_it_said(supervisor: Supervisor) -> None:
    code = "import sys; sys.exit('no key')"

    with pytest.raises(ProcessDiedError, match="tool ended with exit code 1") as caught:
        supervisor.run_all({"tool": [sys.executable, "-c", code]})

    assert caught.value.tail == "no key"


def test_a_command_that_takes_too_long_fails_and_leaves_nothing(supervisor: Supervisor) -> None:
    with pytest.raises(ProcessDiedError):
        supervisor.run_all({"slow": SLEEPER}, timeout_seconds=0.2)

    assert supervisor.left_behind() == []


def test_a_process_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time\n"
        "from streamrp2p_demo.processes import Supervisor\n"
        "supervisor = Supervisor(pathlib.Path(sys.argv[1])).__enter__()\n"
        f"print(supervisor.start('orphan', {SLEEPER!r}).pid, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        wait_until_up(tmp_path / "orphan.log")
        parent.kill()

    deadline = time.monotonic() + 10
    while is_running(orphan):
        assert time.monotonic() < deadline, "the orphan still runs"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Tell whether the process exists and is not a zombie, which only waits to be reaped."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_tail_is_the_last_lines_without_colours(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("".join(f"\x1b[32mline {number}\x1b[0m\n" for number in range(100)))

    assert tail(log, 2) == "line 98\nline 99"
    assert tail(tmp_path / "none.log") == ""
