"""The units start what the command line has, as nobody, and with nothing of the machine that they do not need."""

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamrp2p.cli import build_app
from streamrp2p_coordinator.settings import ENVIRONMENT_PREFIX, PATHS, Settings

UNITS = sorted((Path(__file__).parents[2] / "deploy/systemd").glob("*.service"))
HARDENED = {
    "DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes",
    "PrivateTmp": "yes", "PrivateDevices": "yes", "ProtectKernelModules": "yes", "UMask": "0077",
    "RestrictSUIDSGID": "yes", "CapabilityBoundingSet": "", "RestrictNamespaces": "yes",
    "Restart": "on-failure", "RestartPreventExitStatus": "2",
}  # fmt: skip


def directives(unit: Path) -> dict[str, list[str]]:
    """Return what a unit says, by name, in all sections; a name may come again."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if line.startswith("#") or "=" not in line:
            continue
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return found


def test_there_is_a_unit_of_each_daemon() -> None:
    assert [unit.stem for unit in UNITS] == [
        "streamrp2p-auditor",
        "streamrp2p-coordinator",
        "streamrp2p-node",
        "streamrp2p-signer",
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_well_formed_and_hardened(unit: Path) -> None:
    parser = RawConfigParser(strict=False)
    parser.read_string(unit.read_text())
    assert parser.sections() == ["Unit", "Service", "Install"]
    said = directives(unit)
    assert {name: said[name][-1] for name in HARDENED} == HARDENED
    assert said["StateDirectory"] == [unit.stem]


# It imports every actor, which takes longer than a unit test may.
@pytest.mark.integration
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_what_a_unit_starts_is_there(unit: Path) -> None:
    (command,) = directives(unit)["ExecStart"]
    program, *words = command.split()
    assert program == "/opt/streamrp2p/bin/streamrp2p"
    at = next(index for index, word in enumerate(words) if word.startswith("--"))
    asked = CliRunner().invoke(build_app(), [*words[:at], "--help"], env={"COLUMNS": "200"})
    assert asked.exit_code == 0, asked.output
    for option in words[at:]:
        if option.startswith("--"):
            assert re.search(rf"{option}\b", asked.output), option


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_sets_what_exists_and_loads_each_secret_that_it_names(unit: Path) -> None:
    said = directives(unit)
    for assignment in said.get("Environment", []):
        name = assignment.partition("=")[0].removeprefix(ENVIRONMENT_PREFIX).lower()
        assert name in Settings.model_fields
    loaded = {value.partition(":")[0] for value in said.get("LoadCredential", [])}
    named = set(re.findall(r"%d/([\w.-]+)", unit.read_text()))
    assert named == loaded


def test_the_coordinators_unit_has_or_offers_each_file_that_settings_name() -> None:
    text = (UNITS[0].parent / "streamrp2p-coordinator.service").read_text()
    for name in set(PATHS) - {"bundle_dir"}:
        credential = name.removesuffix("_file").replace("_", "-")
        assert (
            f"Environment={ENVIRONMENT_PREFIX}{name.upper()}=%d/" in text
            or f"#LoadCredential={credential}:/etc/streamrp2p/{credential}\n" in text
        ), name


def test_database_and_bundles_are_where_the_settings_file_says() -> None:
    # Else status, doctor and backup, which have no unit's environment, would look at other ones.
    said = directives(UNITS[0].parent / "streamrp2p-coordinator.service")
    assert not any("DATABASE_URL" in one or "BUNDLE_DIR" in one for one in said["Environment"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_begins_with_the_files_that_it_needs(unit: Path) -> None:
    before = unit.read_text().partition("[Unit]")[0]
    said = directives(unit)
    needed = [value.partition(":")[2] for value in said.get("LoadCredential", [])]
    for file in needed + said.get("EnvironmentFile", []):
        assert file.removeprefix("/etc/streamrp2p/") in before, file
        assert file.startswith("/etc/streamrp2p/")


@pytest.mark.integration
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_takes_a_unit_and_finds_little_exposed(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.fail(
            "systemd-analyze is missing: make system-packages (as root), or apt install systemd",
            pytrace=False,
        )
    # The program is not installed here, and systemd looks for it.
    there = tmp_path / unit.name
    there.write_text(unit.read_text().replace("/opt/streamrp2p/bin/streamrp2p", "/bin/true"))
    for arguments in (("verify",), ("security", "--offline=true", "--threshold=20")):
        run = subprocess.run(
            ["systemd-analyze", *arguments, there], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert arguments != ("verify",) or run.stderr == ""
