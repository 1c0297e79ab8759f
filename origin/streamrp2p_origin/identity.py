"""An origin's folder: its signing key, and one origin at a time in it."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from streamrp2p.durable import write_atomically
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p_origin.errors import OriginSetupError
from streamrp2p_origin.secret_file import read_secret

ORIGIN_KEY_FILE = "origin.key"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """The secret of one origin; never shown by `repr` or logged."""

    origin_key: bytes = field(repr=False)

    @property
    def address(self) -> Address:
        """The origin key's address, which the pool's stream record names."""
        return address_of(self.origin_key)


def create(folder: Path) -> Identity:
    """Make the folder and its key; raises FileAlreadyExistsError rather than replace a key.

    The key stands unencrypted in a file that only its owner may read: an origin must start again without a person, and
    all that its key can do is to serve a bad picture of this one stream.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    origin_key = _new_key()
    text = f"0x{origin_key.hex()}\n"
    write_atomically(folder / ORIGIN_KEY_FILE, text.encode(), mode=0o600, overwrite=False)
    return Identity(origin_key)


def load(folder: Path) -> Identity:
    """Read the key; raises OriginSetupError that names the file, never what stands in it."""
    hex_key = read_secret(
        folder / ORIGIN_KEY_FILE, f"streamrp2p origin init --dir {folder}"
    ).removeprefix("0x")
    try:
        origin_key = bytes.fromhex(hex_key)
    except ValueError:
        origin_key = b""
    if len(origin_key) != _KEY_BYTES:
        raise OriginSetupError(
            f"{folder / ORIGIN_KEY_FILE} must hold a private key as 64 hex digits; restore it from "
            "your backup, or make a new folder and name its address in the pool's stream record"
        )
    return Identity(origin_key)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for this process alone; raises OriginSetupError when another origin runs in it."""
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OriginSetupError(
                f"another origin runs in {folder}: stop it, or use another folder"
            ) from None
        yield
    finally:
        os.close(descriptor)


def _new_key() -> bytes:
    return secrets.token_bytes(_KEY_BYTES)  # Not a valid key with probability 2^-127.
