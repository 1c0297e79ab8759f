"""Files are old or new, never in between, and private where asked."""

import errno
import os
import stat
from pathlib import Path
from typing import NoReturn

import pytest

from streamrp2p.durable import (
    DiskFullError,
    FileAlreadyExistsError,
    StorageError,
    write_atomically,
)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def failing(number: int) -> object:
    def fail(*_: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


def test_new_bytes_replace_the_old(tmp_path: Path) -> None:
    file = tmp_path / "state"
    write_atomically(file, b"old")
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"
    assert names_in(tmp_path) == ["state"]


def test_mode_is_given_at_creation_whatever_the_old_file_had(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"old")
    file.chmod(0o644)
    write_atomically(file, b"new", mode=0o600)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_file_and_folder_are_synced_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def record(descriptor: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    write_atomically(tmp_path / "state", b"new")
    assert synced == ["file", "folder"]


def test_existing_file_is_kept_without_overwrite(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"old")
    with pytest.raises(FileAlreadyExistsError, match="exists already"):
        write_atomically(file, b"new", overwrite=False)
    assert file.read_bytes() == b"old"
    assert names_in(tmp_path) == ["key"]


def test_full_disk_keeps_the_old_file_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "state"
    file.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC))
    with pytest.raises(DiskFullError, match="the disk is full; free some space") as caught:
        write_atomically(file, b"new")
    assert caught.value.retryable
    assert file.read_bytes() == b"old"
    assert names_in(tmp_path) == ["state"]


def test_crash_before_the_rename_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "state"
    file.write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", failing(errno.EIO))
    with pytest.raises(StorageError, match="check the disk"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EDQUOT, "the disk is full"),
        (errno.EACCES, "not accessible to this user"),
        (errno.EROFS, "not accessible to this user"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_each_failure_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    monkeypatch.setattr(os, "fsync", failing(number))
    with pytest.raises(StorageError, match=message):
        write_atomically(tmp_path / "state", b"new")


def test_absent_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist; check the path"):
        write_atomically(tmp_path / "absent" / "state", b"new")
