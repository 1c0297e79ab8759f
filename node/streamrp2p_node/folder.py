"""The node's folder: what lies where, and the lock that keeps two processes out of one another's journals."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamrp2p_node.errors import DirectoryInUseError, SettingsError


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths below a node's folder."""

    root: Path

    @property
    def keystore(self) -> Path:
        """The node's hot key, Keystore V3."""
        return self.root / "node.keystore.json"

    @property
    def journals(self) -> Path:
        """Sessions and receipts, a file per epoch."""
        return self.root / "journal"

    @property
    def batches(self) -> Path:
        """Submitted batches and their answers: evidence."""
        return self.root / "batches"

    @property
    def cache(self) -> Path:
        """Segments; may be deleted while the node is down."""
        return self.root / "cache"

    @property
    def coordinator(self) -> Path:
        """The last known configuration and pools of the coordinator."""
        return self.root / "coordinator.json"

    @property
    def month(self) -> Path:
        """What was served in this calendar month."""
        return self.root / "month.json"

    @property
    def running(self) -> Path:
        """Where the running node answers `status`."""
        return self.root / "running.json"

    def make(self) -> None:
        """Make the folders, for this user alone; raises SettingsError."""
        try:
            for path in (self.root, self.journals, self.batches, self.cache):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"the folder {self.root} cannot be made: {error.strerror}; give another with --dir"
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder; raises DirectoryInUseError when another process does. `kill -9` lets go of it too."""
        with (self.root / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DirectoryInUseError(
                    f"another node runs with {self.root}; stop it, or give each node its own --dir"
                ) from error
            yield
