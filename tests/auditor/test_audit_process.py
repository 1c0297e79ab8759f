import json
import os
import subprocess
from pathlib import Path

import pytest

from streamrp2p.chain import Deployment
from streamrp2p.numbers import Address
from tests.support.ports import find_free_port

pytestmark = pytest.mark.integration

SECRET = "an-api-key-that-nobody-may-see"


def streamrp2p(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["streamrp2p", "audit", *arguments], env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a user whose RPC is down and has a key in its URL."""
    file = tmp_path / "deployment.json"
    book, pools, nodes, challenges, demands, token = (
        Address(bytes([number]) * 20) for number in range(1, 7)
    )
    Deployment(31337, book, pools, nodes, challenges, demands, token, 0).save(file)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "STREAMRP2P_RPC": f"http://127.0.0.1:{find_free_port()}/{SECRET}",
        "STREAMRP2P_DEPLOYMENT": str(file),
    }


@pytest.mark.parametrize("command", [["epoch", "0"], ["epochs", "--all"]])
def test_the_exit_code_reaches_the_shell_and_no_key_does(
    command: list[str], environment: dict[str, str]
) -> None:
    for_people = streamrp2p(*command, environment=environment)
    for_scripts = streamrp2p(*command, "--json", environment=environment)
    assert json.loads(for_scripts.stdout)["error"]["retryable"]
    for result in (for_people, for_scripts):
        assert result.returncode == 3
        assert "does not answer" in " ".join((result.stdout + result.stderr).split())
        assert SECRET not in result.stdout + result.stderr
        assert "Traceback" not in result.stderr


def test_wrong_usage_exits_2(environment: dict[str, str]) -> None:
    for arguments in (["epoch"], ["epoch", "x"], ["epoch", "-1"], ["epochs"], ["nonsense"]):
        assert streamrp2p(*arguments, environment=environment).returncode == 2
    bare = {name: environment[name] for name in ("PATH", "HOME")}
    result = streamrp2p("epoch", "0", environment=bare)
    assert result.returncode == 2
    assert "--rpc" in result.stderr
