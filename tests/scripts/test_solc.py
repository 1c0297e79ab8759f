"""The command line in front of npm's compiler does what the native one does for our callers."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.compile_contracts import ROOT, compile_contracts

pytestmark = pytest.mark.integration

SOLC = ROOT / "scripts" / "solc" / "solc.cjs"
HEAD = "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n"
LIBRARY = f"{HEAD}library One {{ function one() internal pure returns (uint256) {{ return 1; }} }}"
USER = (
    f'{HEAD}import {{One}} from "lib/One.sol";\ncontract User {{ uint256 public x = One.one(); }}'
)


def solc(
    *arguments: str | Path, stdin: str = "", cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", SOLC, *arguments],
        input=stdin,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def standard_json(source: str) -> str:
    return json.dumps(
        {
            "language": "Solidity",
            "sources": {"User.sol": {"content": source}},
            "settings": {"outputSelection": {"*": {"*": ["abi"]}}},
        }
    )


def errors(run: subprocess.CompletedProcess[str]) -> list[str]:
    output: dict[str, Any] = json.loads(run.stdout)
    return [error["message"] for error in output.get("errors", [])]


def test_unknown_option_is_refused() -> None:
    run = solc("--no-such-option")
    assert (run.returncode, run.stderr) == (1, "Error: unknown option --no-such-option\n")


def test_value_must_follow_its_option() -> None:
    assert solc("--standard-json", "--base-path").stderr == "Error: --base-path needs a value\n"


def test_version_is_the_pinned_one() -> None:
    name, version = solc("--version").stdout.splitlines()
    assert name == "solc, the solidity compiler commandline interface"
    assert version.startswith("Version: 0.8.37+commit.")


def test_import_is_found_below_the_base_path(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "One.sol").write_text(LIBRARY)
    run = solc("--standard-json", "--base-path", tmp_path, stdin=standard_json(USER))
    assert errors(run) == []
    assert list(json.loads(run.stdout)["contracts"]) == ["User.sol", "lib/One.sol"]


def test_import_is_found_below_an_include_path(tmp_path: Path) -> None:
    (tmp_path / "there" / "lib").mkdir(parents=True)
    (tmp_path / "there" / "lib" / "One.sol").write_text(LIBRARY)
    include = f"--include-path={tmp_path / 'there'}"
    assert errors(solc("--standard-json", include, stdin=standard_json(USER))) == []


def test_missing_import_says_where_it_was_searched(tmp_path: Path) -> None:
    run = solc("--standard-json", "--base-path", tmp_path, stdin=standard_json(USER))
    assert f"Searched: {tmp_path}/lib/One.sol" in errors(run)[0]


def test_link_out_of_the_allowed_folders_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "One.sol").write_text(LIBRARY)
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "lib").symlink_to(tmp_path / "elsewhere")
    run = solc("--standard-json", "--base-path", tmp_path / "base", stdin=standard_json(USER))
    assert "outside of allowed directories" in errors(run)[0]
    allowed = ("--allow-paths", str(tmp_path / "elsewhere"))
    run = solc(
        "--standard-json", "--base-path", tmp_path / "base", *allowed, stdin=standard_json(USER)
    )
    assert errors(run) == []


def test_combined_json_compiles_files_with_remappings(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "One.sol").write_text(LIBRARY)
    (tmp_path / "User.sol").write_text(USER)
    run = solc("--combined-json", "abi,bin", "--optimize", "lib=there", "User.sol", cwd=tmp_path)
    contract = json.loads(run.stdout)["contracts"]["User.sol:User"]
    assert contract["abi"][0]["name"] == "x"
    assert bytes.fromhex(contract["bin"])


def test_combined_json_fails_on_a_compiler_error() -> None:
    run = solc("--combined-json", "abi", "-", stdin=f"{HEAD}contract Broken {{")
    assert run.returncode == 1
    assert "ParserError" in run.stderr


def test_forge_and_the_scripts_make_the_same_bytes() -> None:
    run = subprocess.run(
        ["forge", "inspect", "StreamToken", "bytecode"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    [token] = [contract for contract in compile_contracts() if contract.name == "StreamToken"]
    assert run.stdout.strip() == f"0x{token.creation_code}"
