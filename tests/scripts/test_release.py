"""A release: the same bytes from the same commit, and a signature that holds for nothing else."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NAMESPACE = "streamrp2p-release"
WHO = "releases@example.org"

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clean clone of the commit; the player's package holds its sources' list, but no build."""
    folder = tmp_path_factory.mktemp("release") / "checkout"
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True, capture_output=True)
    return folder


def release(checkout: Path, folder: Path, *key: Path) -> subprocess.CompletedProcess[str]:
    command = [checkout / "scripts/release.sh", folder, *key]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)


def verify(folder: Path, signers: Path) -> bool:
    command: list[str | Path] = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        signers,
        "-I",
        WHO,
        "-n",
        NAMESPACE,
        "-s",
        folder / "SHA256SUMS.sig",
    ]
    listed = (folder / "SHA256SUMS").read_bytes()
    return subprocess.run(command, input=listed, check=False, capture_output=True).returncode == 0


def test_a_release_is_reproducible_and_its_list_is_signed(checkout: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    signers = tmp_path / "allowed_signers"
    signers.write_text(f"{WHO} {key.with_suffix('.pub').read_text()}")
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        made = release(checkout, folder, key)
        assert made.returncode == 0, made.stderr
    listed = (first / "SHA256SUMS").read_text()
    assert listed == (second / "SHA256SUMS").read_text()
    assert [line.rpartition(".")[2] for line in listed.splitlines()] == ["whl", "gz", "tgz"]
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=first, check=True)
    assert verify(first, signers)
    (first / "SHA256SUMS").write_text(listed.replace("0", "1", 1))
    assert not verify(first, signers)


def test_a_checkout_with_changes_and_a_folder_in_use_are_refused(
    checkout: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(checkout, changed)
    (changed / "README.md").write_text("changed")
    refused = release(changed, tmp_path / "new")
    assert (refused.returncode, "not committed" in refused.stderr) == (2, True)
    (tmp_path / "used").mkdir()
    (tmp_path / "used/file").touch()
    refused = release(checkout, tmp_path / "used")
    assert (refused.returncode, "is not empty" in refused.stderr) == (2, True)
