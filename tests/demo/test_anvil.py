"""Where the demo finds its local chain."""

from pathlib import Path

import pytest

from streamrp2p_demo.anvil import anvil_command, find_anvil, known_key
from streamrp2p_demo.errors import MissingToolError


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_anvil_on_path_is_taken_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = executable(tmp_path / "bin" / "anvil")
    monkeypatch.setenv("PATH", str(found.parent))

    assert find_anvil() == found


def test_anvil_of_a_checkout_is_taken_without_one_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = executable(tmp_path / "node_modules" / ".bin" / "anvil")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_anvil([tmp_path]) == found


def test_without_anvil_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MissingToolError, match=r"run `make setup`.*install Foundry"):
        find_anvil([tmp_path])


def test_the_chain_listens_on_the_loopback_interface_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(executable(tmp_path / "bin" / "anvil").parent))

    assert anvil_command(8545)[1:5] == ["--host", "127.0.0.1", "--port", "8545"]


def test_known_keys_are_anvil_s() -> None:
    assert known_key(0).hex() == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
