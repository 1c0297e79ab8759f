"""`coordinator backup` and `restore --backup`: a folder with the database of one instant and the bundles of its epochs.

    backup.json    what it is, with each file's size and SHA-256
    database.*     SQLite's file, or PostgreSQL's dump in its custom format
    bundles/       the bundle of every settled epoch in that database

It is there whole or not at all. A backup has no keys: their keystores are kept elsewhere, with their passwords.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from streamrp2p.durable import (
    FileAlreadyExistsError,
    storage_error,
    sync_folder,
    write_atomically,
)
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Hash
from streamrp2p_coordinator.bundles import Bundles, is_whole
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.database_copy import FILES, copy_database, put_back
from streamrp2p_coordinator.errors import BackupError
from streamrp2p_coordinator.leadership import LEADER_LOCK
from streamrp2p_coordinator.migrate import current_revision, known_revisions, migrate
from streamrp2p_coordinator.network import Clock

MANIFEST = "backup.json"
FORMAT = 1
STALE = (
    "records that were acknowledged after this backup was made are not in it, but nodes hold your signatures on them: "
    "committing an epoch without them is an Omission, which costs the bond"
)
"""What an operator must know of every backup."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What `backup.json` says. Times are Unix seconds; `settled` epochs have their bundle in it."""

    format: int
    taken_at: int
    revision: str
    """The schema's, as it was: `restore` migrates."""
    database_file: str
    database_bytes: int
    database_sha256: str
    settled: int
    bundles: tuple[str, ...]
    """The bundles' hashes, without 0x."""


def make_backup(database: Database, bundles: Bundles, folder: Path, clock: Clock) -> Backup:
    """Write a backup to a new folder and read it through; others may write meanwhile. Changes nothing.

    The database comes first: a bundle is on the disk before its header is in the database, so none can be missing.
    Raises FileAlreadyExistsError, BackupError, StorageError.
    """
    if folder.exists():
        raise FileAlreadyExistsError(
            folder, "exists already", "name a new folder: a backup replaces nothing"
        )
    partial = folder.with_name(f".{folder.name}.partial-{time.monotonic_ns()}")
    revision = current_revision(database)
    if revision is None:
        raise BackupError(
            "the database has no schema, so there is nothing to back up; check database_url"
        )
    try:
        (partial / "bundles").mkdir(mode=0o700, parents=True)
        partial.chmod(0o700)
        taken_at = clock()
        file, headers = copy_database(database, partial)
        backup = Backup(
            format=FORMAT,
            taken_at=taken_at,
            revision=revision,
            database_file=file,
            database_bytes=(partial / file).stat().st_size,
            database_sha256=_sha256(partial / file),
            settled=len(headers),
            bundles=_copy_bundles(bundles, headers, partial / "bundles"),
        )
        write_atomically(partial / MANIFEST, json.dumps(asdict(backup), indent=2).encode() + b"\n")
        _sync(partial / file)
        read_backup(partial)
        partial.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise storage_error(folder, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return backup


def read_backup(folder: Path) -> Backup:
    """Read a backup and check every byte of it. Raises BackupError, which says what is wrong."""
    try:
        values = json.loads((folder / MANIFEST).read_bytes())
        backup = Backup(**{**values, "bundles": tuple(values["bundles"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BackupError(f"{folder} holds no backup: {MANIFEST} cannot be read") from error
    if backup.format != FORMAT or backup.database_file not in FILES.values():
        raise BackupError(f"{folder} was made by another version; install that version again")
    path = folder / backup.database_file
    if not path.is_file() or _sha256(path) != backup.database_sha256:
        raise BackupError(f"{path} was damaged or is not whole; take another backup")
    for name in backup.bundles:
        if not is_whole(folder / "bundles", Hash(bytes.fromhex(name))):
            raise BackupError(
                f"the bundle {name} was damaged or is missing; fetch it from a mirror, or take another backup"
            )
    return backup


def restore_backup(folder: Path, database: Database, bundles: Bundles) -> Backup:
    """Fill an empty database and the bundle folder from a backup, and migrate.

    Raises BackupError when the backup is damaged, the database is not empty or a coordinator works with it.
    """
    backup = read_backup(folder)
    if backup.revision not in known_revisions():
        raise BackupError(
            f"{folder} has a schema of a newer version, {backup.revision}; install that version again"
        )
    if database.is_held(LEADER_LOCK):
        raise BackupError("a coordinator runs on this database; stop it first")
    for name in backup.bundles:
        target = bundles.path(Hash(bytes.fromhex(name)))
        write_atomically(target, (folder / "bundles" / target.name).read_bytes())
    put_back(folder / backup.database_file, database)
    migrate(database)
    return backup


def _copy_bundles(
    bundles: Bundles, headers: Sequence[EpochHeader], folder: Path
) -> tuple[str, ...]:
    names: list[str] = []
    for header in headers:
        source = bundles.path(header.data_hash)
        if not source.is_file():
            raise BackupError(
                f"the bundle of epoch {header.epoch}, {source}, is missing; fetch it from a mirror first "
                "(it is at /v1/bundles/<hash> there)"
            )
        write_atomically(folder / source.name, source.read_bytes())
        names.append(header.data_hash.hex())
    return tuple(dict.fromkeys(names))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
