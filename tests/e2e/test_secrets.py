"""No command tells a secret that it was given, however it fails."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamrp2p.cli import build_app
from streamrp2p.keys import create_keystore
from streamrp2p_origin.stream_key import StreamKey
from tests.support.chain import POSTER, TICKET_SIGNER
from tests.support.media import ORIGIN_KEY
from tests.support.origin import give_origin_key
from tests.support.secrets import (
    DATABASE_PASSWORD,
    RPC_KEY,
    RPC_PASSWORD,
    assert_tells_none,
    with_credentials,
)

pytestmark = pytest.mark.integration

PASSWORD = "keystore-password-90c4"
WRONG_PASSWORD = "wrong-password-18b2"
NODE_KEY = bytes.fromhex("5a" * 31 + "01")
SILENT = "http://127.0.0.1:9"
RPC = with_credentials(SILENT, f"/v3/{RPC_KEY}")
WEBHOOK = f"{SILENT}/hooks/{RPC_KEY}?token={RPC_PASSWORD}"
DATABASE = f"postgresql://someone:{DATABASE_PASSWORD}@127.0.0.1:9/nowhere"
DEPLOYMENT = {
    name: "0x" + f"{number:040x}"
    for number, name in enumerate(
        ("epochBook", "rewardPools", "nodeRegistry", "challenges", "dataDemands", "streamToken"), 1
    )
} | {"chainId": 31337, "block": 0}


class Desk:
    """A folder with every secret in it, and a command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in (("password", PASSWORD), ("wrong", WRONG_PASSWORD)):
            self.write(name, text)
        self.write("deployment.json", json.dumps(DEPLOYMENT))
        self.write("key", NODE_KEY.hex())
        self.write("damaged-key", NODE_KEY.hex()[:-1] + "g")
        create_keystore(folder / "poster.json", PASSWORD, POSTER, scrypt_n=2)
        create_keystore(folder / "ticket-signer.json", PASSWORD, TICKET_SIGNER, scrypt_n=2)
        for name in ("node", "origin"):
            (folder / name).mkdir()
        create_keystore(folder / "node/node.keystore.json", PASSWORD, NODE_KEY, scrypt_n=2)
        give_origin_key(folder / "origin")
        self.stream_key = StreamKey(folder / "origin")
        self.stream_key.create()

    def write(self, name: str, text: str, mode: int = 0o600) -> str:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def coordinator(self, **settings: object) -> str:
        """Write a settings file; its path."""
        values = {
            "rpc_url": RPC,
            "deployment": "deployment.json",
            "database_url": DATABASE,
            "poster_keystore": "poster.json",
            "poster_password_file": "password",
            "ticket_signer_keystore": "ticket-signer.json",
            "ticket_signer_password_file": "password",
            **settings,
        }
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in values.items()]
        return self.write("coordinator.toml", "".join(lines))

    def fails(self, *words: str) -> str:
        """Run a command that must fail with one line; all that it said."""
        result = CliRunner().invoke(build_app(), words, env={"COLUMNS": "10000"})
        assert result.exit_code != 0, result.output
        assert isinstance(result.exception, SystemExit), result.exception
        secrets = (PASSWORD, WRONG_PASSWORD, POSTER, TICKET_SIGNER, NODE_KEY, ORIGIN_KEY)
        assert_tells_none(result.output, *secrets, self.stream_key.read())
        return result.output


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize("command", ["run", "status", "restore"])
def test_a_coordinator_whose_rpc_is_silent(desk: Desk, command: str) -> None:
    said = desk.fails("coordinator", command, "--config", desk.coordinator())
    assert "the RPC http://127.0.0.1:9 does not answer" in said


def test_a_coordinator_whose_database_is_silent(desk: Desk) -> None:
    assert "database" in desk.fails("coordinator", "migrate", "--config", desk.coordinator())


@pytest.mark.parametrize(
    "settings",
    [
        {"database_url": f"postgresq://x:{DATABASE_PASSWORD}@host/name"},
        {"database_url": f"{DATABASE_PASSWORD}"},
        {"database_url": ["postgresql", DATABASE_PASSWORD]},
        {"rpc_url": f"ws://{RPC_PASSWORD}/{RPC_KEY}"},
        {"rpc_url": [RPC]},
        {"poster_password": PASSWORD},
        {"port": PASSWORD},
        {"rpc_url": f"{RPC},{RPC}"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_coordinator_with_wrong_settings(desk: Desk, settings: dict[str, object]) -> None:
    desk.fails("coordinator", "run", "--config", desk.coordinator(**settings))


def test_settings_that_are_no_toml(desk: Desk) -> None:
    config = desk.write("broken.toml", f'database_url = "{DATABASE}\nrpc_url = {RPC}\n')
    assert "cannot be read as TOML" in desk.fails("coordinator", "run", "--config", config)


NODE = ("node", "run", "--endpoint", "https://node.example", "--port", "0")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (None, ("--password-file", "wrong")),
        (lambda text: text[:-40], ("--password-file", "password")),
        (lambda _: "{}", ("--password-file", "password")),
        (None, ("--password-file", "poster.json")),
        (None, ("--password-file", "password", "--coordinator", f"ftp://x:{RPC_PASSWORD}@host")),
        (None, ("--password-file", "password", "--payout", RPC_PASSWORD)),
    ],
)
def test_a_node_that_cannot_start(
    desk: Desk, change: Callable[[str], str] | None, words: tuple[str, ...]
) -> None:
    keystore = desk.folder / "node/node.keystore.json"
    if change is not None:
        keystore.write_text(change(keystore.read_text()))
    file = str(desk.folder / words[1])
    others = words[2:] if "--coordinator" in words else ("--coordinator", SILENT, *words[2:])
    desk.fails(*NODE, "--dir", str(desk.folder / "node"), "--password-file", file, *others)


def test_a_claim_over_a_silent_rpc(desk: Desk) -> None:
    desk.fails(
        *("node", "claim", "--dir", str(desk.folder / "node"), "--coordinator", SILENT),
        *("--rpc", RPC, "--password-file", str(desk.folder / "password"), "--yes"),
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--webhook", WEBHOOK, "--once"),
        ("--webhook", f"ftp://{RPC_PASSWORD}@hooks.example/{RPC_KEY}"),
        ("--challenge", "--key-file", "damaged-key"),
        ("--challenge", "--key-file", "open-key"),
        ("--challenge", "--keystore", "poster.json", "--password-file", "wrong"),
        ("--mirror", f"ftp://x:{RPC_PASSWORD}@mirror.example"),
    ],
    ids=lambda words: " ".join(words[:2])[:20],
)
def test_a_watchman_that_cannot_start(desk: Desk, words: tuple[str, ...]) -> None:
    desk.write("open-key", NODE_KEY.hex(), 0o644)
    found = [str(desk.folder / word) if (desk.folder / word).is_file() else word for word in words]
    desk.fails(
        *("audit", "watch", "--state", str(desk.folder / "state"), "--rpc", RPC),
        *("--deployment", str(desk.folder / "deployment.json"), *found),
    )


@pytest.mark.parametrize(
    "coordinator", [SILENT, with_credentials(SILENT), f"ftp://x:{RPC_PASSWORD}@host"]
)
def test_an_origin_whose_coordinator_is_silent(desk: Desk, coordinator: str) -> None:
    desk.fails(
        *("origin", "run", "--dir", str(desk.folder / "origin"), "--pool", "1"),
        *("--coordinator", coordinator),
    )


def test_a_pool_over_a_silent_rpc(desk: Desk) -> None:
    desk.fails(
        *("pool", "close", "1", "--rpc", RPC, "--yes"),
        *("--deployment", str(desk.folder / "deployment.json")),
        *("--key-file", str(desk.folder / "key")),
    )
