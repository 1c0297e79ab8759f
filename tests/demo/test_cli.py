"""`streamrp2p demo`: what it prints, writes and exits with."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamrp2p_demo import cli, run, stopping
from streamrp2p_demo.checks import CheckResult, run_checks
from streamrp2p_demo.errors import MissingToolError, ProcessDiedError
from streamrp2p_demo.facts import Facts
from streamrp2p_demo.layout import Layout
from streamrp2p_demo.progress import Progress
from tests.demo.scenario import FRAUD, GOOD


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the demo make its folder here, and leave pytest its signals."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(stopping, "STOP_SIGNALS", ())
    return tmp_path


def ending_with(monkeypatch: pytest.MonkeyPatch, outcome: Facts | Exception) -> None:
    """Replace the run of the whole system by its outcome and one log line."""

    def stand_in(
        progress: Progress, folder: Path, epochs: int, *, with_fraud: bool
    ) -> tuple[Facts, list[CheckResult]]:
        layout = Layout(folder)
        layout.make()
        (layout.logs / "origin.log").write_text("port in use\n")
        if isinstance(outcome, Exception):
            raise outcome
        facts = replace(outcome, fraud=FRAUD) if with_fraud else outcome
        return facts, run_checks(facts)

    monkeypatch.setattr(run, "run", stand_in)


def test_a_good_run_exits_with_0_and_leaves_only_the_report(
    temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending_with(monkeypatch, GOOD)
    report = temporary_folder / "report.json"

    result = CliRunner().invoke(cli.app, ["--json", str(report)])

    assert result.exit_code == 0
    assert "All 11 checks passed." in result.output
    assert json.loads(report.read_text())["ok"] is True
    assert list(temporary_folder.iterdir()) == [report]


def test_with_fraud_the_poster_that_lied_is_judged_as_well(
    temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending_with(monkeypatch, GOOD)
    report = temporary_folder / "report.json"

    result = CliRunner().invoke(cli.app, ["--fraud", "--json", str(report)])

    assert result.exit_code == 0, result.output
    assert "All 12 checks passed." in result.output
    caught = json.loads(report.read_text())["adversaries"][0]
    assert caught == {"name": "inflating poster", "caughtBy": "BadSession (Challenges.badSession)"}


def test_the_folder_is_kept_if_asked_for(
    temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending_with(monkeypatch, GOOD)

    result = CliRunner().invoke(cli.app, ["--keep-dir"])

    (folder,) = temporary_folder.iterdir()
    assert f"logs, keys and databases are in {folder}" in result.output
    assert (folder / "logs" / "origin.log").exists()


def test_a_failed_check_exits_with_1_names_it_and_shows_the_logs(
    temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending_with(monkeypatch, replace(GOOD, left_behind=("origin (4711)",)))
    report = temporary_folder / "report.json"

    result = CliRunner().invoke(cli.app, ["--json", str(report)])

    assert result.exit_code == 1
    assert "FAILED: processes" in result.output
    assert "port in use" in result.output
    assert "logs, keys and databases are in" in result.output
    assert json.loads(report.read_text())["ok"] is False


def test_a_run_that_cannot_go_on_exits_with_1_and_says_why(
    temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending_with(monkeypatch, ProcessDiedError("origin", 3, "port in use"))
    report = temporary_folder / "report.json"

    result = CliRunner().invoke(cli.app, ["--json", str(report)])

    assert result.exit_code == 1
    assert "FAILED: origin ended with exit code 3" in result.output
    said = json.loads(report.read_text())
    assert said == {
        "ok": False,
        "error": "origin ended with exit code 3; its log ends:\nport in use",
    }


def test_a_missing_tool_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    ending_with(monkeypatch, MissingToolError("the demo needs anvil"))

    result = CliRunner().invoke(cli.app, [])

    assert result.exit_code == 2
    assert "the demo needs anvil" in result.output


def test_fewer_than_two_epochs_are_refused() -> None:
    assert CliRunner().invoke(cli.app, ["--epochs", "1"]).exit_code == 2
