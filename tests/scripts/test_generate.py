"""Generated files: `--check` tells stale ones and writes nothing, a run writes what differs."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts import generate

CONTENT = b"made\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with two generators, `one` and `two`, each of a file of its name."""
    (tmp_path / "scripts" / "generators").mkdir(parents=True)
    modules: dict[str, SimpleNamespace] = {}
    for name in ("__init__", "_helper", "one", "two"):
        (tmp_path / "scripts" / "generators" / f"{name}.py").touch()
        modules[f"scripts.generators.{name}"] = SimpleNamespace(
            files=lambda name=name: {Path(name): CONTENT}
        )
    modules["scripts.generators.copy_of_one"] = modules["scripts.generators.one"]
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "import_module", modules.__getitem__)
    return tmp_path


def test_generators_are_found_by_their_files(root: Path) -> None:
    assert generate.generator_names() == ["one", "two"]


def test_run_writes_what_differs(root: Path) -> None:
    (root / "one").write_bytes(b"old\n")
    assert generate.main([]) == 0
    assert ((root / "one").read_bytes(), (root / "two").read_bytes()) == (CONTENT, CONTENT)


def test_check_names_stale_files_and_writes_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "one").write_bytes(CONTENT)
    assert generate.main(["--check"]) == 1
    assert "stale: two" in capsys.readouterr().out
    assert not (root / "two").exists()


def test_check_passes_when_all_are_fresh(root: Path) -> None:
    generate.main([])
    assert generate.main(["--check"]) == 0


def test_one_generator_can_be_run_alone(root: Path) -> None:
    generate.main(["--only", "two"])
    assert not (root / "one").exists()


def test_two_generators_of_one_file_are_refused(root: Path) -> None:
    with pytest.raises(SystemExit, match="copy_of_one makes files that another generator makes"):
        generate.generated_files(["one", "copy_of_one"])
