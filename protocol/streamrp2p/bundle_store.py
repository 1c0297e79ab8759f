"""Where bundles come from. A bundle is named by its hash, so it does not matter who gives it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streamrp2p.client import MAX_BUNDLE_BYTES, CoordinatorClient
from streamrp2p.durable import StorageError
from streamrp2p.errors import BundleUnavailableError, MalformedError, StreamrP2PError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Hash

FETCH_ATTEMPTS = 2
"""Per mirror: another mirror is the better second chance."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A bundle's bytes, whose hash was checked, and the name of their source."""

    data: bytes
    source: str


class BundleSource(Protocol):
    """One place that may have bundles."""

    name: str

    def read(self, data_hash: Hash) -> bytes:
        """Return bytes that claim to be the bundle; raises StreamrP2PError when the place has none."""


class Mirror:
    """A coordinator, or any server that has its route `/v1/bundles/{dataHash}`."""

    def __init__(self, url: str) -> None:
        """Take a base URL; raises MalformedError when it is none."""
        self._client = CoordinatorClient(url, attempts=FETCH_ATTEMPTS)
        self.name = self._client.base_url

    def read(self, data_hash: Hash) -> bytes:
        """Fetch the bundle; bounded in size and time."""
        return self._client.bundle(data_hash)


class BundleFile:
    """A file with one bundle. It serves the header whose `dataHash` it has, and no other."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    def read(self, data_hash: Hash) -> bytes:
        """Read the file, whichever bundle it holds."""
        try:
            with self._path.open("rb") as opened:
                data = opened.read(MAX_BUNDLE_BYTES + 1)
        except OSError as error:
            what = f"cannot be read ({error.strerror})"
            raise StorageError(self._path, what, "name another --bundle") from error
        found = keccak(data)
        if found != data_hash:
            raise MalformedError(f"{self._path} holds 0x{found.hex()}")
        return data


class BundleStore:
    """Asks one source after the other, and keeps the newest bundles: each epoch is the parent of the next."""

    def __init__(self, sources: Sequence[BundleSource], *, kept: int = 2) -> None:
        """Keep at most `kept` bundles in memory."""
        self._sources = sources
        self._kept = kept
        self._known: dict[Hash, Fetched] = {}

    def fetch(self, data_hash: Hash) -> Fetched:
        """Return the bundle, checked by its hash; raises BundleUnavailableError when no source has it."""
        if data_hash not in self._known:
            found = self._search(data_hash)
            while len(self._known) >= self._kept:
                del self._known[next(iter(self._known))]
            self._known[data_hash] = found
        return self._known[data_hash]

    def _search(self, data_hash: Hash) -> Fetched:
        attempts: list[str] = []
        retryable = False
        for source in self._sources:
            try:
                data = source.read(data_hash)
            except StreamrP2PError as error:
                attempts.append(f"{source.name}: {error}")
                retryable = retryable or error.retryable
                continue
            if keccak(data) == data_hash:
                return Fetched(data, source.name)
            attempts.append(f"{source.name}: sent other bytes")
        raise BundleUnavailableError(data_hash, attempts, retryable=retryable)


def sources_of(files: Iterable[Path], urls: Iterable[str]) -> list[BundleSource]:
    """Return the sources in the order in which they are asked: files first, for they cost nothing."""
    return [*map(BundleFile, files), *map(Mirror, urls)]
