"""The command: each thing that can be wrong is told in one line that says what to do."""

import json
import os
import secrets
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
from typer.testing import CliRunner

from streamrp2p.keys import load_keystore
from streamrp2p.signatures import address_of
from streamrp2p_coordinator.assembly import check_clock
from streamrp2p_coordinator.cli import app
from streamrp2p_coordinator.errors import ConfigurationError
from streamrp2p_coordinator.migrate import newest_revision
from streamrp2p_coordinator.settings import load_settings
from tests.coordinator.conftest import BOTH
from tests.coordinator.memory_chain import MemoryChain
from tests.coordinator.process import (
    PASSWORD,
    Coordinator,
    coordinator_over,
    living_chain,
)
from tests.support.chain import POSTER, DeployedChain
from tests.support.ports import find_free_port

ADDRESS = "0x" + "11" * 20
DEPLOYMENT = {
    "chainId": 31337,
    "epochBook": ADDRESS,
    "rewardPools": ADDRESS,
    "nodeRegistry": ADDRESS,
    "challenges": ADDRESS,
    "dataDemands": ADDRESS,
    "streamToken": ADDRESS,
    "block": 1,
}


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Run the sub-command in this process; its exit code, output and errors."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    """Write a deployment file."""
    file = tmp_path / "deployment.json"
    file.write_text(json.dumps(DEPLOYMENT))
    return file


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """Write a password file."""
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return file


@pytest.fixture
def quick_keystores() -> Iterator[None]:
    """Make keystores that are quick to open: a real one takes a second and 256 MiB."""
    with patch("streamrp2p.keys.create_keystore.__kwdefaults__", {"scrypt_n": 2}):
        yield


def init(
    config: Path, deployment: Path, password_file: Path, *more: str | Path
) -> tuple[int, str, str]:
    return run(
        *("init", "--config", config, "--rpc-url", "http://127.0.0.1:1"),
        *("--deployment", deployment, "--password-file", password_file, *more),
    )


def test_init_writes_settings_and_keystores_that_only_their_owner_reads(
    tmp_path: Path, password_file: Path, quick_keystores: None
) -> None:
    deployment = tmp_path / "deployment.json"
    config = tmp_path / "made" / "coordinator.toml"
    config.parent.mkdir()
    key_file = tmp_path / "key"
    key_file.write_text(POSTER.hex())
    key_file.chmod(0o600)

    code, output, errors = init(
        *(config, deployment, password_file, "--poster-key-file", key_file, "--json"),
        *("--bundle-dir", tmp_path / "elsewhere"),
    )

    assert (code, errors) == (0, "")
    made = json.loads(output)
    settings = load_settings(config)
    assert load_keystore(settings.poster_keystore, PASSWORD) == POSTER
    assert made["poster"] == "0x" + address_of(POSTER).hex()
    assert made["next"] == f"deploy with --poster {made['poster']} --output {deployment}"
    assert settings.deployment == deployment
    signer = load_keystore(settings.ticket_signer_keystore, PASSWORD)
    assert made["ticketSigner"] == "0x" + address_of(signer).hex()
    assert settings.database_url == f"sqlite:///{config.parent / 'coordinator.db'}"
    assert settings.bundle_dir == tmp_path / "elsewhere"
    for file in (config, settings.poster_keystore, settings.ticket_signer_keystore):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    everything = output + config.read_text()
    assert POSTER.hex() not in everything
    assert PASSWORD not in everything


def test_init_replaces_nothing(
    tmp_path: Path, deployment: Path, password_file: Path, quick_keystores: None
) -> None:
    config = tmp_path / "coordinator.toml"
    config.write_text("mine")
    code, _, errors = init(config, deployment, password_file)
    assert code == 2
    assert "exists already" in errors
    assert config.read_text() == "mine"


@pytest.mark.integration
def test_init_for_a_deployment_makes_nothing_while_the_chain_does_not_answer(
    tmp_path: Path, deployment: Path, password_file: Path
) -> None:
    config = tmp_path / "coordinator.toml"
    code, _, errors = init(config, deployment, password_file)
    assert (code, "does not answer" in errors) == (3, True)
    assert not config.exists()
    assert not (tmp_path / "keys").exists()


def test_a_missing_settings_file_says_how_to_make_one(tmp_path: Path) -> None:
    code, _, errors = run("run", "--config", tmp_path / "none.toml")
    assert code == 2
    assert "streamrp2p coordinator init" in errors


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rpc_url = ", "cannot be read as TOML"),
        ("port = 70000", "port: Input should be less than or equal to 65535"),
        ("unknown = 1", "unknown: Extra inputs are not permitted"),
        ('public_url = "coordinator.example"', "public_url: a server's URL is like"),
        ("port = 8100\nmetrics_port = 8100", "metrics_port: it must be another than port"),
        ('probe_site = "ftp://watch.example"', "probe_site: a server's URL is like"),
        ("", "rpc_url: Field required"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, told: str) -> None:
    config = tmp_path / "coordinator.toml"
    complete = 'rpc_url = "http://x"\ndeployment = "d"\nposter_keystore = "p"\nticket_signer_keystore = "t"\n'
    config.write_text((complete if text.startswith(("p", "unknown")) else "") + text)
    code, _, errors = run("run", "--config", config)
    assert code == 2
    assert told in errors


def test_the_environment_overrides_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "coordinator.toml"
    config.write_text(
        'rpc_url = "http://x"\ndeployment = "d"\nposter_keystore = "p"\nticket_signer_keystore = "t"\nport = 1\n'
    )
    monkeypatch.setenv("STREAMRP2P_COORDINATOR_PORT", "9000")
    assert load_settings(config).port == 9000


def test_a_clock_behind_the_chain_is_refused_and_one_ahead_is_warned_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    chain = MemoryChain(1000, address_of(POSTER))
    check_clock(chain, lambda: 970, 30)
    with pytest.raises(ConfigurationError, match="31 s behind the chain's newest block"):
        check_clock(chain, lambda: 969, 30)
    check_clock(chain, lambda: 1031, 30)
    assert "clock_ahead_of_chain" in capsys.readouterr().out


@pytest.mark.slow
def test_without_its_extra_the_command_says_which_to_install(tmp_path: Path) -> None:
    (tmp_path / "fastapi.py").write_text("raise ModuleNotFoundError(name='fastapi')\n")
    result = subprocess.run(
        [sys.executable, "-m", "streamrp2p.cli", "coordinator", "--help"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert 'pip install ".[coordinator]"' in result.stderr


@pytest.fixture(params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Name SQLite alone, but for those commands that ask more of the database than to open it."""
    return str(request.param)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedChain]:
    """Run a chain that all of these share."""
    with living_chain(tmp_path_factory.mktemp("chain")) as chain:
        yield chain


@pytest.fixture
def coordinator(
    chain: DeployedChain, empty_database_url: str, tmp_path: Path
) -> Iterator[Coordinator]:
    """Write the settings of a coordinator that would run."""
    with coordinator_over(chain, tmp_path, empty_database_url, find_free_port()) as coordinator:
        yield coordinator


on_both = pytest.mark.parametrize("database_kind", BOTH, indirect=True)


def refused(coordinator: Coordinator) -> tuple[int, str]:
    """Run a coordinator that must stop by itself; its exit code and last words."""
    coordinator.write()
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "streamrp2p.cli",
            "coordinator",
            "run",
            "--config",
            coordinator.config,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in result.stderr
    assert PASSWORD not in result.stderr
    return result.returncode, result.stderr


@pytest.mark.integration
def test_a_port_in_use(coordinator: Coordinator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        coordinator.settings["port"] = taken.getsockname()[1]
        code, errors = refused(coordinator)
    assert code == 2
    assert f"port {coordinator.settings['port']} of 127.0.0.1 is in use" in errors


@pytest.mark.integration
def test_the_wrong_chain(coordinator: Coordinator) -> None:
    file = coordinator.folder / "other.json"
    file.write_text(json.dumps({**DEPLOYMENT, "chainId": 1}))
    coordinator.settings["deployment"] = str(file)
    code, errors = refused(coordinator)
    assert code == 2
    assert "serves chain 31337, expected chain 1" in errors


@pytest.mark.integration
def test_an_rpc_that_is_down(coordinator: Coordinator) -> None:
    coordinator.settings["rpc_url"] = f"http://127.0.0.1:{find_free_port()}/secret-key"
    code, errors = refused(coordinator)
    assert code == 3
    assert "does not answer" in errors
    assert "secret-key" not in errors


@pytest.mark.integration
def test_a_database_that_is_down(coordinator: Coordinator) -> None:
    coordinator.settings["database_url"] = "postgresql://someone:secret@127.0.0.1:1/nowhere"
    code, errors = refused(coordinator)
    assert code == 3
    assert "the database does not answer" in errors
    assert "secret" not in errors


@pytest.mark.integration
def test_a_wrong_password(coordinator: Coordinator) -> None:
    (coordinator.folder / "password").write_text("another one\n")
    code, errors = refused(coordinator)
    assert code == 2
    assert "does not open" in errors
    assert "another one" not in errors


@pytest.mark.integration
def test_another_key_than_the_posters(coordinator: Coordinator) -> None:
    coordinator.settings["poster_keystore"] = "ticket-signer.json"
    code, errors = refused(coordinator)
    assert code == 2
    assert "the book's poster is 0x" + address_of(POSTER).hex() in errors


@pytest.mark.integration
def test_init_for_a_deployment_wants_the_key_of_its_poster(
    chain: DeployedChain, tmp_path: Path, password_file: Path, quick_keystores: None
) -> None:
    config, key_file = tmp_path / "coordinator.toml", tmp_path / "poster.key"
    key_file.write_text(POSTER.hex())
    key_file.chmod(0o600)
    asked = (config, chain.deployment_file, password_file, "--rpc-url", chain.rpc_url)

    code, _, errors = init(*asked)
    assert (code, (tmp_path / "keys").exists()) == (2, False)
    assert f"has the poster 0x{address_of(POSTER).hex()}; give its key with" in errors

    code, output, _ = init(*asked, "--poster-key-file", key_file, "--json")
    assert (code, "next" in json.loads(output)) == (0, False)
    assert load_settings(config).bundle_dir == tmp_path / "bundles"


@pytest.mark.integration
def test_status_probes_and_backup_make_no_database(coordinator: Coordinator) -> None:
    file = coordinator.folder / "empty.db"
    for arguments in (["status"], ["probes"], ["backup", "--to", str(coordinator.folder / "b")]):
        code, _, errors = run(*arguments, "--config", coordinator.config)
        assert (code, file.exists()) == (2, False)
        assert f"{file} does not exist; correct database_url" in errors
    file.touch()
    for command in ("status", "probes"):
        code, _, errors = run(command, "--config", coordinator.config)
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        assert (code, "the database's schema is not made yet" in errors) == (2, True)


@on_both
@pytest.mark.integration
def test_it_starts_shows_its_status_and_stops_on_sigterm(coordinator: Coordinator) -> None:
    metrics_port = find_free_port()
    coordinator.settings["metrics_port"] = metrics_port
    coordinator.write()
    client = coordinator.start()
    config = client.config()
    with httpx.Client(base_url=f"http://127.0.0.1:{metrics_port}") as operator:
        metrics = operator.get("/metrics").text
        ready = operator.get("/readyz")
    code, output, _ = run("status", "--config", coordinator.config, "--json")
    assert coordinator.stop() == 0

    assert config.poster == address_of(POSTER)
    assert code == 0
    status = json.loads(output)
    assert (status["chainId"], status["isBonded"], status["nodes"]) == (31337, True, 0)
    shown = ready.json()
    assert (shown["status"], shown["checks"]) == ("ok", {"database": "ok", "chain": "ok"})
    assert (shown["isLeader"], shown["leaderTerm"]) == (True, 1)
    assert "streamrp2p_coordinator_leader 1.0" in metrics
    assert 'streamrp2p_coordinator_requests_total{method="GET",route="/v1/config"' in metrics
    assert "streamrp2p_coordinator_bond_wei 1e+18" in metrics
    assert '"event": "coordinator_stopped"' in coordinator.log
    assert POSTER.hex() not in coordinator.log
    assert all(json.loads(line) for line in coordinator.log.splitlines())


@on_both
@pytest.mark.integration
def test_migrate_makes_the_database_that_run_uses(coordinator: Coordinator) -> None:
    code, output, _ = run("migrate", "--config", coordinator.config, "--json")
    assert (code, json.loads(output)) == (0, {"revision": newest_revision()})


def doctor(coordinator: Coordinator) -> tuple[int, dict[str, str]]:
    """Run the doctor; its exit code, and the level of each check."""
    code, output, _ = run("doctor", "--config", coordinator.config, "--json")
    assert PASSWORD not in output
    return code, {found["check"]: found["level"] for found in json.loads(output)}


@on_both
@pytest.mark.integration
def test_the_doctor_finds_a_running_coordinator_well_and_names_what_is_broken(
    coordinator: Coordinator,
) -> None:
    # This chain makes no blocks by itself.
    coordinator.settings["max_clock_skew_seconds"] = 3600
    coordinator.write()
    for file in (coordinator.config, coordinator.folder / "password"):
        file.chmod(0o600)
    before, _ = doctor(coordinator)
    coordinator.start()
    running, levels = doctor(coordinator)
    assert (before, running) == (0, 0)
    assert {check for check, level in levels.items() if level != "ok"} == {"public URL"}
    assert {"leader", "port", "bundles", "balance", "clock", "database schema"} <= set(levels)
    assert coordinator.stop() == 0

    (coordinator.folder / "poster.json").chmod(0o644)
    (coordinator.folder / "password").write_text("another one\n")
    down = f"http://127.0.0.1:{find_free_port()}"
    coordinator.settings["rpc_url"] = f"{down}/secret-key,{coordinator.settings['rpc_url']}"
    coordinator.write()
    code, levels = doctor(coordinator)
    assert code == 2
    assert {check for check, level in levels.items() if level == "fail"} == {
        "poster's keystore",
        "poster's password",
        "ticket signer's password",
        f"RPC {down}",
    }
    assert levels["leader"] == "warn"


@pytest.mark.integration
def test_the_doctor_looks_at_what_else_would_stop_a_start(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "admin_token_file": ("short", secrets.token_hex(32)),
        "notify_urls_file": ("no URL", "json://127.0.0.1:1"),
        "probe_proxies_file": ("no URL", "http://proxy.example:3128"),
    }
    for name, (wrong, _) in files.items():
        coordinator.settings[name] = name
        (coordinator.folder / name).write_text(wrong)
        (coordinator.folder / name).chmod(0o600)
    coordinator.settings["traces_endpoint"] = "http://127.0.0.1:4318/v1/traces"
    coordinator.write()
    named = ("operator's token", "notifications", "probes' proxies", "traces")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
        code, levels = doctor(coordinator)
    assert (code, [levels[check] for check in named]) == (2, ["fail"] * 4)

    for name, (_, right) in files.items():
        (coordinator.folder / name).write_text(right)
    _, levels = doctor(coordinator)
    assert [levels[check] for check in named] == ["ok"] * 4


def test_the_doctor_stops_at_settings_that_cannot_be_read(tmp_path: Path) -> None:
    code, output, _ = run("doctor", "--config", tmp_path / "none.toml")
    assert code == 2
    assert "streamrp2p coordinator init" in output


@pytest.mark.integration
def test_backup_and_restore_say_what_is_not_in_them(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    assert run("migrate", "--config", coordinator.config)[0] == 0
    folder = tmp_path / "backup"
    code, output, errors = run("backup", "--config", coordinator.config, "--to", folder, "--json")
    assert (code, json.loads(output)["revision"]) == (0, newest_revision())
    assert "acknowledged after this backup" in errors

    restore = ("restore", "--config", coordinator.config, "--backup", folder)
    code, _, errors = run(*restore)
    assert (code, "is not empty" in errors) == (2, True)
    coordinator.settings["database_url"] = f"sqlite:///{tmp_path / 'restored.db'}"
    coordinator.write()
    code, output, errors = run(*restore, "--json")
    assert (code, "WARNING" in errors) == (0, True)
    assert "is an Omission, which costs the bond" in errors
