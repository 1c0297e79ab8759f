"""Files that survive `kill -9` and power loss: either the old bytes are there, or all of the new ones."""

import errno
import os
import secrets
from pathlib import Path

from streamrp2p.errors import StreamrP2PError


class StorageError(StreamrP2PError):
    """A file that could not be written or read; `path` names it."""

    is_usage = True

    def __init__(self, path: Path, what: str, todo: str) -> None:
        super().__init__(f"{path} {what}; {todo}")
        self.path = path


class DiskFullError(StorageError):
    """No space or quota is left. Nothing was changed; the same write may succeed once space is free."""

    retryable = True


class FileAlreadyExistsError(StorageError):
    """The file is there and must not be replaced."""


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644, overwrite: bool = True) -> None:
    """Write `data` to `path` and return once it is on the disk; readers see the old file or the new one, never a part.

    Raises DiskFullError, FileAlreadyExistsError (only without `overwrite`) or StorageError; the old file then stays.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        _write_synced(temporary, data, mode)
        if overwrite:
            temporary.replace(path)
        else:
            # A hard link never replaces a file, so two that race cannot both win.
            os.link(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable: a renamed file is only there after a crash once this returned."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage_error(path: Path, error: OSError) -> StorageError:
    """Turn the system's error into one that says what to do."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return DiskFullError(
                path, "could not be written: the disk is full", "free some space and try again"
            )
        case errno.EEXIST:
            return FileAlreadyExistsError(
                path, "exists already", "remove it yourself if you are sure, or name another file"
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return StorageError(
                path,
                "is not accessible to this user",
                "check the owner and mode of it and its folder",
            )
        case errno.ENOENT | errno.ENOTDIR:
            return StorageError(path, "does not exist", "check the path and make its folder first")
    reason = os.strerror(error.errno) if error.errno else str(error)
    return StorageError(path, f"failed: {reason}", "check the disk and the system log")


def _write_synced(path: Path, data: bytes, mode: int) -> None:
    # Secrets must not be readable by others even for an instant, so the mode is given at creation.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
