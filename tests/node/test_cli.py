"""The commands' options, answers and errors that need no network."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streamrp2p.keys import create_keystore, load_keystore
from streamrp2p.signatures import address_of
from streamrp2p_node.cli import app
from tests.node.fakes import NODE, NODE_KEY

RUN = ["run", "--coordinator", "http://127.0.0.1:9", "--endpoint", "http://127.0.0.1:8"]


def invoke(*arguments: str | Path) -> Result:
    environment = {"STREAMRP2P_NODE_DIR": None, "STREAMRP2P_RPC": None, "COLUMNS": "200"}
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a node's folder whose key costs nothing to open."""
    path = tmp_path / "node"
    path.mkdir()
    create_keystore(path / "node.keystore.json", "correct horse", NODE_KEY, scrypt_n=2)
    return path


@pytest.mark.slow
def test_init_makes_a_private_folder_with_a_key_and_prints_its_address(
    tmp_path: Path, password_file: Path
) -> None:
    made = tmp_path / "node"
    result = invoke("init", "--dir", made, "--password-file", password_file, "--json")
    assert result.exit_code == 0, result.output
    keystore = made / "node.keystore.json"
    key = load_keystore(keystore, "correct horse")
    assert json.loads(result.stdout)["node"] == "0x" + address_of(key).hex()
    assert keystore.stat().st_mode & 0o777 == 0o600
    assert made.stat().st_mode & 0o777 == 0o700
    assert key.hex() not in result.output
    assert "correct horse" not in result.output


def test_init_never_replaces_a_key(folder: Path, password_file: Path) -> None:
    before = (folder / "node.keystore.json").read_bytes()
    result = invoke("init", "--dir", folder, "--password-file", password_file)
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert (folder / "node.keystore.json").read_bytes() == before


def test_no_command_takes_a_password_or_key_in_its_arguments() -> None:
    for command in ("init", "run", "status", "claim"):
        text = invoke(command, "--help").output
        assert "--password " not in text
        assert "--private-key" not in text


def test_run_without_a_key_says_how_to_make_one(tmp_path: Path) -> None:
    result = invoke(*RUN, "--dir", tmp_path / "none")
    assert result.exit_code == 2
    assert "streamrp2p node init --dir" in result.stderr


def test_run_with_a_wrong_password_says_so(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("hunter2\n")
    result = invoke(*RUN, "--dir", folder, "--password-file", wrong)
    assert result.exit_code == 2
    assert "the password does not open" in result.stderr
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    "endpoint",
    ["node.example.org", "ftp://x", "http://", "http://node.test/", "http://" + "x" * 300],
)
def test_run_refuses_an_endpoint_that_viewers_could_not_use(folder: Path, endpoint: str) -> None:
    result = invoke(
        "run", "--dir", folder, "--coordinator", "http://127.0.0.1:9", "--endpoint", endpoint
    )
    assert result.exit_code == 2
    assert "--endpoint must" in result.stderr


def test_run_refuses_half_a_certificate(folder: Path) -> None:
    result = invoke(*RUN, "--dir", folder, "--tls-cert", "node.pem")
    assert result.exit_code == 2
    assert "--tls-cert and --tls-key belong together" in result.stderr


def test_run_refuses_a_certificate_with_an_endpoint_that_is_not_https(folder: Path) -> None:
    result = invoke(*RUN, "--dir", folder, "--tls-cert", "node.pem", "--tls-key", "node.key")
    assert result.exit_code == 2
    assert "--endpoint https://" in result.stderr


def test_run_refuses_a_mistyped_payout_address(folder: Path) -> None:
    mistyped = "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    result = invoke(*RUN, "--dir", folder, "--payout", mistyped)
    assert result.exit_code == 2
    assert "checksum is wrong" in result.stderr


def test_status_of_a_folder_where_no_node_runs_can_be_tried_again(folder: Path) -> None:
    result = invoke("status", "--dir", folder)
    assert result.exit_code == 3
    assert "no node runs in" in result.stderr


def test_status_wants_one_node() -> None:
    assert invoke("status").exit_code == 2


def test_claim_needs_the_node_but_no_password_to_look(folder: Path) -> None:
    result = invoke(
        "claim", "--dir", folder.parent / "none", "--coordinator", "http://127.0.0.1:9",
        "--rpc", "http://127.0.0.1:9",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "there is no key in" in result.stderr
    assert NODE


@pytest.mark.parametrize("option", ["--max-mbit", "--monthly-gb"])
@pytest.mark.parametrize("number", ["inf", "nan", "0", "-1", "1e30"])
def test_run_refuses_a_bound_that_is_none(folder: Path, option: str, number: str) -> None:
    result = invoke(*RUN, "--dir", folder, option, number)
    assert result.exit_code == 2
    assert option in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--schedule", "mon 18-20"), "--schedule is like"),
        (("--schedule", "mon 18:00-20:00", "--time-zone", "Mars/Base"), "--time-zone must be"),
        (("--time-zone", "Europe/Berlin"), "give the hours with --schedule"),
    ],
)
def test_run_refuses_hours_that_it_cannot_read(
    folder: Path, options: tuple[str, ...], words: str
) -> None:
    result = invoke(*RUN, "--dir", folder, *options)
    assert result.exit_code == 2
    assert words in result.stderr
