"""Where bundles come from. A bundle is named by its hash, so it does not matter who gives it."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Protocol

from streamrp2p.client import (
    MAX_BUNDLE_BYTES,
    BadAnswerError,
    CoordinatorClient,
    UnreachableError,
)
from streamrp2p.durable import StorageError
from streamrp2p.errors import BundleUnavailableError, MalformedError, StreamrP2PError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Hash

FETCH_ATTEMPTS = 2
"""Per mirror: another mirror is the better second chance."""
HEDGE_SECONDS = 10.0
"""After so long without an answer the next source is asked as well."""


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
    """Asks one source after the other, and keeps the newest bundles: each epoch is the parent of the next.

    A slow source is not waited for alone, and one that was slow, down or lied is asked last from then on.
    """

    def __init__(
        self,
        sources: Sequence[BundleSource],
        *,
        kept: int = 2,
        hedge_seconds: float = HEDGE_SECONDS,
    ) -> None:
        """Keep at most `kept` bundles in memory."""
        self._sources = list(sources)
        self._kept = kept
        self._hedge_seconds = hedge_seconds
        self._known: dict[Hash, Fetched] = {}
        self._poor: set[str] = set()
        self._busy: set[str] = set()

    def fetch(self, data_hash: Hash) -> Fetched:
        """Return the bundle, checked by its hash; raises BundleUnavailableError when no source has it."""
        if data_hash not in self._known:
            found = self._search(data_hash)
            while len(self._known) >= self._kept:
                del self._known[next(iter(self._known))]
            self._known[data_hash] = found
        return self._known[data_hash]

    def _search(self, data_hash: Hash) -> Fetched:
        answers: SimpleQueue[tuple[BundleSource, bytes | Exception]] = SimpleQueue()
        failures: dict[str, StreamrP2PError] = {}
        waiting = deque(sorted(self._sources, key=lambda source: source.name in self._poor))
        asked: set[str] = set()
        while waiting or asked:
            if waiting:
                self._ask(waiting.popleft(), data_hash, answers, asked, failures)
            while asked:
                try:
                    source, answer = answers.get(timeout=self._hedge_seconds if waiting else None)
                except Empty:
                    # Daemons: a source that never ends must not keep the process.
                    self._poor |= asked
                    break
                asked.discard(source.name)
                if isinstance(answer, bytes):
                    if keccak(answer) == data_hash:
                        self._poor.discard(source.name)
                        self._poor |= asked
                        return Fetched(answer, source.name)
                    answer = BadAnswerError(200, "sent other bytes")
                if not isinstance(answer, StreamrP2PError):
                    raise answer
                failures[source.name] = answer
                if answer.retryable or isinstance(answer, BadAnswerError):
                    self._poor.add(source.name)
                break
        raise BundleUnavailableError(
            data_hash,
            [f"{name}: {error}" for name, error in failures.items()],
            retryable=any(error.retryable for error in failures.values()),
        )

    def _ask(
        self,
        source: BundleSource,
        data_hash: Hash,
        answers: "SimpleQueue[tuple[BundleSource, bytes | Exception]]",
        asked: set[str],
        failures: dict[str, StreamrP2PError],
    ) -> None:
        """Read a source in a thread of its own, unless one still waits for its last answer."""
        if source.name in self._busy:
            failures[source.name] = UnreachableError("still sends another bundle")
            return

        def read() -> None:
            answer: bytes | Exception
            try:
                answer = source.read(data_hash)
            except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
                answer = error
            self._busy.discard(source.name)
            answers.put((source, answer))

        self._busy.add(source.name)
        asked.add(source.name)
        Thread(target=read, daemon=True).start()


def sources_of(files: Iterable[Path], urls: Iterable[str]) -> list[BundleSource]:
    """Return the sources in the order in which they are asked: files first, for they cost nothing."""
    return [*map(BundleFile, files), *map(Mirror, urls)]
