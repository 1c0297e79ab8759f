"""What a watchman remembers, in one folder: cases, alerts that are due, the transaction under way, the last block.

Each file is replaced as a whole and is on the disk before what it says is acted upon, so `kill -9` loses nothing.
"""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ValidationError

from streamrp2p.api import AddressHex, BytesHex, HashHex, Uint64, Uint256, Wire
from streamrp2p.chain import Call, EpochStatus, SignedTransaction
from streamrp2p.durable import StorageError, storage_error, sync_folder, write_atomically
from streamrp2p.numbers import Address, Hash
from streamrp2p.typed_data import Domain
from streamrp2p_auditor.errors import StateInUseError, StateOfOtherChainError

Purpose = Literal["challenge", "demand", "expire", "reclaim", "withdraw"]
End = Literal["mined", "reverted", "dropped"]
Verdict = Literal["byte-identical", "wrong", "unjudged"]
Fate = Literal["pending", "final", "void"]
Record = TypeVar("Record", bound=Wire)

PRIVATE_MODE = 0o600
_TEMPORARY = re.compile(r"\..*\.tmp")


class Signed(Wire):
    """A transaction as it was signed; `at` in Unix seconds of this machine."""

    hash: HashHex
    raw: BytesHex
    at: int
    is_fill: bool = False
    """Whether it does nothing but use the nonce up."""


class Transaction(Wire):
    """A transaction that was recorded before it was sent. Signed again for dearer fees it keeps its nonce."""

    purpose: Purpose
    case: str | None
    """The key of the case that it is for; None for one that is for none."""
    shown: str
    """What it does, for people."""
    to: AddressHex
    data: BytesHex
    value: Uint256
    nonce: Uint64
    sender: AddressHex
    signed: tuple[Signed, ...]
    end: End | None = None

    @property
    def call(self) -> Call:
        """What is called."""
        return Call(Address(self.to), self.data, self.value)

    @property
    def newest(self) -> SignedTransaction:
        """What is to be sent."""
        last = self.signed[-1]
        return SignedTransaction(last.raw, Hash(last.hash), self.nonce, Address(self.sender))


class Found(Wire):
    """The first difference, as `streamrp2p.difference.Difference`."""

    proof: str
    row: str
    field: str
    expected: str
    found: str


class Case(Wire):
    """One header as it was committed, and all that was done about it. Committed again, it is another case.

    `committed_at` is None for a header that was final when it was first seen.
    """

    epoch: Uint64
    digest: BytesHex
    committed_at: Uint64 | None
    challenge_ends_at: Uint64 | None
    header_hash: HashHex | None = None
    verdict: Verdict
    difference: Found | None = None
    reason: str | None = None
    """Why it could not be judged."""
    retryable: bool = False
    since: int
    """When it was first seen, or lost its verdict to a reorganisation, in the chain's Unix seconds."""
    fate: Fate = "pending"
    block: int | None = None
    """The block of the commit."""
    is_settled: bool = False
    """Whether every bond of ours came back, once the header is not pending any more."""
    alerts: tuple[str, ...] = ()
    """The kinds that were raised."""
    transactions: tuple[Transaction, ...] = ()
    """Those that ended, oldest first."""

    @property
    def key(self) -> str:
        """Name the case, also as a file."""
        return _key(self.epoch, self.digest, self.committed_at)

    def is_of(self, status: EpochStatus) -> bool:
        """Tell whether that is what the book says of this commit."""
        return (status.digest, status.committed_at) == (self.digest, self.committed_at)


class Due(Wire):
    """An alert on its way to the webhook. Its `id` is the same however often it is sent."""

    id: str
    body: dict[str, str | int | dict[str, str] | None]


class LastBlock(Wire):
    """The newest block that was read."""

    number: int
    hash: HashHex
    time: int


class _Bound(Wire):
    chain_id: int
    epoch_book: AddressHex


class State:
    """The folder. One process at a time: use it within `locked`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def locked(self, domain: Domain) -> Iterator[None]:
        """Make and hold the folder. Raises StateInUseError, StateOfOtherChainError or StorageError."""
        try:
            for folder in (self._folder, self._cases, self._alerts):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                sync_folder(folder.parent)
            lock = (self._folder / "lock").open("a")
        except OSError as error:
            raise storage_error(self._folder, error) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StateInUseError(self._folder) from error
            self._tidy()
            self._bind(domain)
            yield

    def cases(self) -> list[Case]:
        """Return every case, rising by epoch; raises StorageError for a damaged file."""
        found = [_read(path, Case) for path in self._cases.glob("*.json")]
        return sorted(found, key=lambda case: (case.epoch, case.committed_at or 0))

    def put_case(self, case: Case) -> None:
        """Remember a case as it is now."""
        self._write(self._cases / f"{case.key}.json", case)

    def due(self) -> list[Due]:
        """Return the alerts that were not acknowledged yet, oldest first."""
        paths = sorted(self._alerts.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return [_read(path, Due) for path in paths]

    def due_count(self) -> int:
        """Return how many they are, also while another thread takes some away."""
        return len(list(self._alerts.glob("*.json")))

    def put_due(self, due: Due) -> None:
        """Remember an alert until it is acknowledged."""
        self._write(self._alerts / f"{due.id}.json", due)

    def drop_due(self, due: Due) -> None:
        """Forget an alert that was acknowledged."""
        (self._alerts / f"{due.id}.json").unlink(missing_ok=True)
        sync_folder(self._alerts)

    def transaction(self) -> Transaction | None:
        """Return the transaction under way."""
        return _read(self._transaction, Transaction) if self._transaction.exists() else None

    def put_transaction(self, transaction: Transaction) -> None:
        """Remember a transaction that is about to be sent."""
        self._write(self._transaction, transaction)

    def drop_transaction(self) -> None:
        """Forget the transaction under way: it ended, and its case says how."""
        self._transaction.unlink(missing_ok=True)
        sync_folder(self._folder)

    def last_block(self) -> LastBlock | None:
        """Return the newest block that was read."""
        return _read(self._block, LastBlock) if self._block.exists() else None

    def put_last_block(self, block: LastBlock) -> None:
        """Remember the newest block that was read."""
        self._write(self._block, block)

    @property
    def _cases(self) -> Path:
        return self._folder / "cases"

    @property
    def _alerts(self) -> Path:
        return self._folder / "alerts"

    @property
    def _transaction(self) -> Path:
        return self._folder / "transaction.json"

    @property
    def _block(self) -> Path:
        return self._folder / "block.json"

    def _write(self, path: Path, record: Wire) -> None:
        write_atomically(path, record.model_dump_json(by_alias=True).encode(), mode=PRIVATE_MODE)

    def _tidy(self) -> None:
        """Remove what a write left that did not end; nobody else writes here."""
        for folder in (self._folder, self._cases, self._alerts):
            for path in folder.iterdir():
                if _TEMPORARY.fullmatch(path.name):
                    path.unlink(missing_ok=True)

    def _bind(self, domain: Domain) -> None:
        path = self._folder / "chain.json"
        bound = _Bound(chain_id=domain.chain_id, epoch_book=domain.epoch_book)
        if not path.exists():
            self._write(path, bound)
        elif _read(path, _Bound) != bound:
            raise StateOfOtherChainError(self._folder)


def case_key(status: EpochStatus) -> str:
    """Name the case of what the book says of an epoch."""
    return _key(status.epoch, status.digest, status.committed_at)


def _key(epoch: int, digest: bytes, committed_at: int | None) -> str:
    return f"{epoch}-{digest.hex()}-{'final' if committed_at is None else committed_at}"


def _read(path: Path, model: type[Record]) -> Record:
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise storage_error(path, error) from error
    except ValidationError as error:
        raise StorageError(
            path, "is damaged", "restore it from a backup, or move it away to start its case anew"
        ) from error
