"""The root command: it lists sub-commands without importing them, and explains what is missing."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints, version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from streamrp2p import cli
from streamrp2p.errors import StreamrP2PError

ACTORS = (
    "streamrp2p_auditor",
    "streamrp2p_coordinator",
    "streamrp2p_demo",
    "streamrp2p_node",
    "streamrp2p_origin",
    "streamrp2p_signer",
)

greeter = typer.Typer(help="Greets.")


@greeter.command()
def greet(name: str, shout: bool = False) -> None:
    typer.echo(f"HELLO {name}" if shout else f"hello {name}")
    raise typer.Exit(7)


@greeter.command()
def refuse() -> None:
    raise StreamrP2PError("the pool is closed")


@greeter.command()
def need_module() -> None:
    raise ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn")


def install(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    points = EntryPoints(
        EntryPoint(name, value, cli.ENTRY_POINT_GROUP) for name, value in values.items()
    )
    monkeypatch.setattr(cli, "entry_points", lambda group: points.select(group=group))


@pytest.fixture
def import_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_version_is_that_of_the_distribution() -> None:
    result = CliRunner().invoke(cli.build_app(), ["--version"])
    assert result.stdout == f"streamrp2p {version('streamrp2p')}\n"
    assert result.exit_code == 0


def test_help_lists_each_sub_command_with_its_summary() -> None:
    result = CliRunner().invoke(cli.build_app(), ["--help"])
    assert result.exit_code == 0
    assert list(cli.NOTES) == [
        word
        for line in result.stdout.splitlines()
        for word in line.split()[1:2]
        if word in cli.NOTES
    ]
    assert "Relay streams and earn for it." in result.stdout


def test_help_imports_no_actor() -> None:
    script = (
        "import contextlib, sys\n"
        "from streamrp2p.cli import build_app\n"
        "with contextlib.suppress(SystemExit):\n"
        "    build_app()(['--help'])\n"
        f"sys.exit(str([name for name in {ACTORS!r} if name in sys.modules] or ''))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (run.stderr.strip(), "coordinator" in run.stdout) == ("", True)


def test_arguments_options_and_exit_code_are_the_sub_commands_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, greeter=f"{__name__}:greeter")
    result = CliRunner().invoke(cli.build_app(), ["greeter", "greet", "--shout", "Ada"])
    assert (result.stdout, result.exit_code) == ("HELLO Ada\n", 7)


def test_help_of_a_sub_command_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, greeter=f"{__name__}:greeter")
    result = CliRunner().invoke(cli.build_app(), ["greeter", "--help"])
    assert "Greets." in result.stdout
    assert result.exit_code == 0


def test_unknown_sub_command_of_another_package_is_listed_by_its_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, greeter=f"{__name__}:greeter")
    assert f"From {__name__}." in CliRunner().invoke(cli.build_app(), ["--help"]).stdout


def test_expected_failure_is_one_line_and_exit_code_one(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, greeter=f"{__name__}:greeter")
    result = CliRunner().invoke(cli.build_app(), ["greeter", "refuse"])
    assert (result.stderr, result.exit_code) == ("Error: the pool is closed\n", 1)


def test_missing_extra_is_named(import_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (import_folder / "unfinished_node.py").write_text("import a_package_that_is_not_installed\n")
    install(monkeypatch, node="unfinished_node:app")
    result = CliRunner().invoke(cli.build_app(), ["node", "run"])
    assert result.stderr == (
        'This command needs the extra [node]. Install it, in the checkout: pip install ".[node]"\n'
    )
    assert result.exit_code == 2


def test_missing_extra_is_named_when_the_command_imports_it_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, audit=f"{__name__}:greeter")
    result = CliRunner().invoke(cli.build_app(), ["audit", "need-module"])
    assert 'pip install ".[auditor]"' in result.stderr
    assert result.exit_code == 2


def test_missing_module_of_a_command_without_extra_is_a_bug(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, pool=f"{__name__}:greeter")
    result = CliRunner().invoke(cli.build_app(), ["pool", "need-module"])
    assert isinstance(result.exception, ModuleNotFoundError)


def test_absent_actor_breaks_neither_help_nor_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, node="streamrp2p_absent.cli:app", greeter=f"{__name__}:greeter")
    assert CliRunner().invoke(cli.build_app(), ["--help"]).exit_code == 0
    result = CliRunner().invoke(cli.build_app(), ["node"])
    assert result.stderr == (
        "This command is not part of this installation: No module named 'streamrp2p_absent'.\n"
    )
    assert result.exit_code == 2
    assert CliRunner().invoke(cli.build_app(), ["greeter", "greet", "Ada"]).stdout == "hello Ada\n"
