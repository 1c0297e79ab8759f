"""Private keys on disk: Keystore V3 files, and where passwords come from. No key or password is ever printed."""

import json
import os
import secrets
import stat
import sys
from collections.abc import Callable
from getpass import getpass
from pathlib import Path
from typing import Any

from streamrp2p.durable import storage_error, write_atomically
from streamrp2p.errors import SignatureError, StreamrP2PError
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of

PRIVATE_MODE = 0o600
SCRYPT_N = 1 << 18
"""The work factor that wallets use: about a second and 256 MiB for each guess of a password."""
MAX_SCRYPT_BYTES = 1 << 30
"""A keystore that wants more memory is refused: it could stop the machine."""
MAX_PBKDF2_ROUNDS = 10_000_000
MAX_KEY_FILE_BYTES = 1 << 16
MAX_PASSWORD_BYTES = 1024
KEYRING_SERVICE = "streamrp2p"


class KeystoreError(StreamrP2PError):
    """A keystore that cannot be used; the message names the file and what to do."""

    is_usage = True


class WrongPasswordError(KeystoreError):
    """The password does not open the keystore."""


class PasswordUnavailableError(KeystoreError):
    """No password was given, or its source cannot be read."""


def create_keystore(
    path: Path, password: str, private_key: bytes | None = None, *, scrypt_n: int = SCRYPT_N
) -> Address:
    """Write a new Keystore V3 file, readable by its owner alone, and return its address.

    Makes a random key unless `private_key` (32 bytes) is given. Never replaces a file: FileAlreadyExistsError. Raises
    PasswordUnavailableError for an empty password, SignatureError for an invalid key.
    """
    from eth_account import Account  # noqa: PLC0415 - it takes a second, which `--help` must not

    if not password:
        raise PasswordUnavailableError("a keystore needs a password that is not empty")
    key = new_private_key() if private_key is None else private_key
    address = address_of(key)
    keystore = Account.encrypt(key, password, kdf="scrypt", iterations=scrypt_n)
    write_atomically(
        path, json.dumps(keystore, indent=2).encode() + b"\n", mode=PRIVATE_MODE, overwrite=False
    )
    return address


def load_keystore(path: Path, password: str) -> bytes:
    """Return the 32-byte private key; raises WrongPasswordError, KeystoreError or StorageError."""
    from eth_account import Account  # noqa: PLC0415 - it takes a second, which `--help` must not

    keystore = _parsed(path)
    try:
        key = bytes(Account.decrypt(keystore, password))
        address = address_of(key)
    except SignatureError as error:
        raise KeystoreError(
            f"{path} holds no valid private key; restore it from a backup"
        ) from error
    except Exception as error:  # noqa: BLE001 - the library raises whatever the file makes it stumble over
        if isinstance(error, ValueError) and "MAC mismatch" in str(error):
            raise WrongPasswordError(f"the password does not open {path}; try another") from None
        raise KeystoreError(
            f"{path} is not a valid keystore ({type(error).__name__}); restore it from a backup"
        ) from None
    if _named_address(keystore) not in (None, address):
        raise KeystoreError(f"{path} holds another key than that of the address it names")
    return key


def keystore_address(path: Path) -> Address | None:
    """Return the address that the keystore names, without opening it; None when it names none."""
    return _named_address(_parsed(path))


def load_key_file(path: Path) -> bytes:
    """Return the private key of a plain file: 64 hex digits, with or without 0x.

    Raises KeystoreError when others may read the file or it holds something else (which is never shown).
    """
    try:
        key = bytes.fromhex(load_private_text(path).removeprefix("0x"))
        address_of(key)
    except (ValueError, SignatureError):
        raise KeystoreError(f"{path} holds no private key of 64 hex digits") from None
    return key


def is_open_to_others(mode: int) -> bool:
    """Tell whether a file of that mode may be used by anybody but its owner."""
    return bool(stat.S_IMODE(mode) & 0o077)


def load_private_text(path: Path) -> str:
    """Return what a secret text file holds, such as a token, without blanks around it.

    Raises KeystoreError when others may read the file or it holds no text (which is never shown).
    """
    data = _read(path)
    if is_open_to_others(path.stat().st_mode) and not _is_credential(path):
        raise KeystoreError(f"{path} is open to other users; run: chmod 600 {path}")
    try:
        return data.decode().strip()
    except UnicodeDecodeError:
        raise KeystoreError(f"{path} holds no text") from None


def _is_credential(path: Path) -> bool:
    """Tell whether systemd handed the file to this service: nobody else gets there, though its mode says 440."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.resolve().parent == Path(folder).resolve()


def new_private_key() -> bytes:
    """Return a fresh random key of 32 bytes."""
    while True:
        key = secrets.token_bytes(32)
        try:
            address_of(key)
        except SignatureError:  # one in 2^128
            continue
        return key


def read_password(
    *,
    file: Path | None = None,
    keyring_user: str | None = None,
    prompt: str | None = None,
    confirm: bool = False,
    ask: Callable[[str], str] = getpass,
) -> str:
    """Return a password from the first source given: a file's first line, the system's keyring, or a prompt.

    `confirm` asks twice at the prompt. Raises PasswordUnavailableError when the source has none, and where there is no
    terminal to ask at.
    """
    if file is not None:
        return _password_of_file(file)
    if keyring_user is not None:
        return _password_of_keyring(keyring_user)
    if prompt is None:
        raise PasswordUnavailableError(
            "no password was given; name a password file or a keyring entry"
        )
    if ask is getpass and not sys.stdin.isatty():
        raise PasswordUnavailableError(
            "there is no terminal to ask for the password; give it with --password-file"
        )
    password = ask(prompt)
    if confirm and ask("Again, to be sure: ") != password:
        raise PasswordUnavailableError("the two passwords differ; start again")
    if not password:
        raise PasswordUnavailableError("the password is empty; start again")
    return password


def _password_of_file(path: Path) -> str:
    data = _read(path)
    try:
        password = data.decode().splitlines()[0] if data else ""
    except UnicodeDecodeError:
        raise PasswordUnavailableError(f"{path} is not UTF-8 text") from None
    if not password or len(password.encode()) > MAX_PASSWORD_BYTES:
        raise PasswordUnavailableError(
            f"{path} must hold the password in its first line, of at most {MAX_PASSWORD_BYTES} bytes"
        )
    return password


def _password_of_keyring(user: str) -> str:
    try:
        import keyring  # noqa: PLC0415 - an extra of the actors; the SDK works without it
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise PasswordUnavailableError(
            'the keyring needs an extra; install it, in the checkout: pip install ".[node]"'
        ) from None
    try:
        password = keyring.get_password(KEYRING_SERVICE, user)
    except KeyringError as error:
        raise PasswordUnavailableError(
            f"the system's keyring does not answer ({type(error).__name__}); use a password file"
        ) from None
    if not password:
        raise PasswordUnavailableError(
            f"the keyring has no password for {user}; run: keyring set {KEYRING_SERVICE} {user}"
        )
    return password


def _parsed(path: Path) -> dict[str, Any]:
    try:
        keystore = json.loads(_read(path))
    except (ValueError, RecursionError):
        keystore = None
    if not isinstance(keystore, dict) or keystore.get("version") != 3:  # noqa: PLR2004 - the format's number
        raise KeystoreError(f"{path} is not a Keystore V3 file; restore it from a backup")
    _check_cost(path, keystore)
    return keystore


def _named_address(keystore: dict[str, Any]) -> Address | None:
    try:
        address = bytes.fromhex(str(keystore.get("address")).removeprefix("0x"))
    except ValueError:
        return None
    return Address(address) if len(address) == 20 else None  # noqa: PLR2004 - an address's length


def _check_cost(path: Path, keystore: dict[str, Any]) -> None:
    crypto = keystore.get("crypto", keystore.get("Crypto"))
    parameters = crypto.get("kdfparams") if isinstance(crypto, dict) else None
    if not isinstance(parameters, dict):
        raise KeystoreError(f"{path} says not how its key was derived; restore it from a backup")
    cost = [parameters.get(name, 1) for name in ("n", "r", "p", "c", "dklen")]
    if any(isinstance(value, bool) or not isinstance(value, int) or value < 1 for value in cost):
        raise KeystoreError(f"{path} has unusable key derivation parameters")
    n, r, p, rounds, length = cost
    if (
        128 * n * r > MAX_SCRYPT_BYTES
        or p > 16  # noqa: PLR2004 - wallets use 1
        or rounds > MAX_PBKDF2_ROUNDS
        or length > 64  # noqa: PLR2004 - the format needs 32
    ):
        raise KeystoreError(f"{path} wants more work than any wallet asks for; it is refused")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_KEY_FILE_BYTES + 1)
    except OSError as error:
        raise storage_error(path, error) from error
    if len(data) > MAX_KEY_FILE_BYTES:
        raise KeystoreError(f"{path} is larger than {MAX_KEY_FILE_BYTES} bytes; it is another file")
    return data
