"""Bundles on disk, one file each, named by its hash."""

from functools import lru_cache
from pathlib import Path

from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.claim import ClaimBook
from streamrp2p.durable import storage_error, write_atomically
from streamrp2p.errors import BundleError
from streamrp2p.fraud.answers import AnswerBook
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Hash

REMEMBERED = 4
"""How many bundles stay in memory: the newest epochs are asked for again and again."""


class Bundles:
    """A folder of bundles. A file is there whole or not at all, and never changes."""

    def __init__(self, folder: Path) -> None:
        """Make the folder if need be; raises a StorageError of `streamrp2p.durable`."""
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(folder, error) from error
        self._decoded = lru_cache(maxsize=REMEMBERED)(self._decode)
        self._claim_books = lru_cache(maxsize=REMEMBERED)(self._claim_book)
        self._answer_books = lru_cache(maxsize=REMEMBERED)(self._answer_book)

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._folder

    def path(self, data_hash: Hash) -> Path:
        """Return where the bundle of that hash is or would be."""
        return self._folder / file_name(data_hash)

    def has(self, data_hash: Hash) -> bool:
        """Tell whether the bundle is there."""
        return self.path(data_hash).is_file()

    def write(self, bundle: Bundle) -> Hash:
        """Write a bundle and return its hash once it is on the disk. Raises DiskFullError or StorageError."""
        data = bundle.encode()
        data_hash = keccak(data)
        write_atomically(self.path(data_hash), data)
        return data_hash

    def read(self, data_hash: Hash) -> Bundle:
        """Read and check a bundle. Raises StorageError when it is missing, BundleError when it was damaged."""
        return self._decoded(data_hash)

    def claim_book(self, header: EpochHeader) -> ClaimBook:
        """Return the claims of a header's bundle, ready to prove; raises as `read`."""
        return self._claim_books(header)

    def answer_book(self, data_hash: Hash) -> AnswerBook:
        """Return a bundle's trees, ready to answer demands; raises as `read`."""
        return self._answer_books(data_hash)

    def _answer_book(self, data_hash: Hash) -> AnswerBook:
        return AnswerBook(self.read(data_hash))

    def _claim_book(self, header: EpochHeader) -> ClaimBook:
        return ClaimBook(header, self.read(header.data_hash).claims)

    def _decode(self, data_hash: Hash) -> Bundle:
        path = self.path(data_hash)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise storage_error(path, error) from error
        if keccak(data) != data_hash:
            raise BundleError("dataHash", f"{path} was damaged")
        return decode_bundle(data)


def file_name(data_hash: Hash) -> str:
    """Return the name of a bundle's file."""
    return f"{data_hash.hex()}.bundle"


def is_whole(folder: Path, data_hash: Hash) -> bool:
    """Tell whether the folder has the bundle of that hash, with every byte."""
    try:
        return keccak((folder / file_name(data_hash)).read_bytes()) == data_hash
    except OSError:
        return False
