"""The origin's folder and key: made once, private, never shown."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamrp2p.durable import FileAlreadyExistsError
from streamrp2p.signatures import address_of
from streamrp2p_origin import cli, identity
from streamrp2p_origin.errors import OriginSetupError


def test_made_key_is_private_and_is_read_back(tmp_path: Path) -> None:
    made = identity.create(tmp_path / "origin")
    path = tmp_path / "origin" / "origin.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert identity.load(tmp_path / "origin") == made
    assert made.address == address_of(made.origin_key)
    assert made.origin_key.hex() not in repr(made)


def test_key_is_never_replaced(tmp_path: Path) -> None:
    made = identity.create(tmp_path)
    with pytest.raises(FileAlreadyExistsError):
        identity.create(tmp_path)
    assert identity.load(tmp_path) == made


def test_init_prints_the_address_and_not_the_key(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli.app, ["init", "--dir", str(tmp_path), "--json"])
    made = identity.load(tmp_path)
    assert json.loads(result.stdout) == {
        "address": f"0x{made.address.hex()}",
        "streamKeyFile": str(tmp_path / "stream.key"),
    }
    again = CliRunner().invoke(cli.app, ["init", "--dir", str(tmp_path)])
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    assert made.origin_key.hex() not in again.output


def test_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(OriginSetupError, match="streamrp2p origin init --dir"):
        identity.load(tmp_path)


def test_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    identity.create(tmp_path)
    (tmp_path / "origin.key").chmod(0o640)
    with pytest.raises(OriginSetupError, match="chmod 600"):
        identity.load(tmp_path)


@pytest.mark.parametrize("text", ["", "0x1234", "not a key", "11" * 33, "zz" * 32])
def test_file_without_a_key_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "origin.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(OriginSetupError, match="64 hex digits") as caught:
        identity.load(tmp_path)
    assert not text or text not in str(caught.value).replace(str(path), "")


def test_folder_is_held_by_one_origin_at_a_time(tmp_path: Path) -> None:
    with (
        identity.locked(tmp_path),
        pytest.raises(OriginSetupError, match="another origin runs in"),
        identity.locked(tmp_path),
    ):
        pass
    with identity.locked(tmp_path):
        pass


def test_run_wants_to_know_where_the_chain_is(tmp_path: Path) -> None:
    identity.create(tmp_path)
    for options in ([], ["--rpc", "http://x"], ["--rpc", "http://x", "--coordinator", "http://y"]):
        arguments = ["run", "--dir", str(tmp_path), "--pool", "1", *options]
        result = CliRunner().invoke(cli.app, arguments)
        assert result.exit_code == 2
        assert "either --coordinator, or --rpc and --deployment" in result.stderr
