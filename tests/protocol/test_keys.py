"""Keystores open with their password alone, and nothing secret is ever shown."""

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from streamrp2p.durable import FileAlreadyExistsError, StorageError
from streamrp2p.errors import SignatureError
from streamrp2p.keys import (
    KeystoreError,
    PasswordUnavailableError,
    WrongPasswordError,
    create_keystore,
    keystore_address,
    load_key_file,
    load_keystore,
    new_private_key,
    read_password,
)
from streamrp2p.signatures import address_of

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADDRESS = bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")
CHEAP = 1 << 10
PASSWORD = "correct horse"


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    assert create_keystore(path, PASSWORD, KEY, scrypt_n=CHEAP) == ADDRESS
    return path


def changed(path: Path, **values: object) -> Path:
    found: dict[str, Any] = json.loads(path.read_text())
    for name, value in values.items():
        if name in found:
            found[name] = value
        elif name in found["crypto"]:
            found["crypto"][name] = value
        else:
            found["crypto"]["kdfparams"][name] = value
    path.write_text(json.dumps(found))
    return path


def test_key_comes_back_with_its_password(keystore: Path) -> None:
    assert load_keystore(keystore, PASSWORD) == KEY
    assert keystore_address(keystore) == ADDRESS


def test_other_wallets_read_it(keystore: Path) -> None:
    assert bytes(Account.decrypt(keystore.read_text(), PASSWORD)) == KEY


def test_only_the_owner_may_read_it(keystore: Path) -> None:
    assert stat.S_IMODE(keystore.stat().st_mode) == 0o600


def test_file_holds_neither_key_nor_password(keystore: Path) -> None:
    text = keystore.read_text().lower()
    assert KEY.hex() not in text
    assert PASSWORD not in text


def test_without_a_key_it_makes_a_new_one_each_time(tmp_path: Path) -> None:
    first = create_keystore(tmp_path / "a", PASSWORD, scrypt_n=CHEAP)
    second = create_keystore(tmp_path / "b", PASSWORD, scrypt_n=CHEAP)
    assert first != second
    assert address_of(load_keystore(tmp_path / "a", PASSWORD)) == first


def test_existing_keystore_is_never_replaced(keystore: Path) -> None:
    before = keystore.read_bytes()
    with pytest.raises(FileAlreadyExistsError):
        create_keystore(keystore, "other", scrypt_n=CHEAP)
    assert keystore.read_bytes() == before


def test_wrong_password_is_its_own_error_and_is_not_shown(keystore: Path) -> None:
    with pytest.raises(WrongPasswordError, match="does not open") as caught:
        load_keystore(keystore, "hunter2")
    assert "hunter2" not in str(caught.value)
    assert KEY.hex() not in str(caught.value)


def test_empty_password_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PasswordUnavailableError, match="not empty"):
        create_keystore(tmp_path / "key", "")
    assert not (tmp_path / "key").exists()


def test_invalid_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SignatureError):
        create_keystore(tmp_path / "key", PASSWORD, bytes(32))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"version": 1}', b"\xff", b"[" * 60_000, b"x" * 70_000]
)
def test_other_files_are_no_keystores(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(content)
    with pytest.raises(KeystoreError):
        load_keystore(path, PASSWORD)


@pytest.mark.parametrize(
    "values",
    [
        {"n": 1 << 40},
        {"r": 1 << 30},
        {"p": 1 << 20},
        {"n": -1},
        {"n": True},
        {"dklen": 1 << 30},
        {"dklen": "32"},
        {"kdfparams": None},
        {"crypto": []},
    ],
)
def test_keystore_that_wants_too_much_work_or_nonsense_is_refused_at_once(
    keystore: Path, values: dict[str, object]
) -> None:
    with pytest.raises(KeystoreError):
        load_keystore(changed(keystore, **values), PASSWORD)


@pytest.mark.parametrize(
    "values",
    [{"ciphertext": "zz"}, {"kdf": "md5"}, {"address": "00" * 20}, {"salt": 5}, {"n": 1000}],
)
def test_damaged_keystore_says_so(keystore: Path, values: dict[str, object]) -> None:
    with pytest.raises(KeystoreError):
        load_keystore(changed(keystore, **values), PASSWORD)


def test_absent_keystore_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"absent\.json does not exist"):
        load_keystore(tmp_path / "absent.json", PASSWORD)


def test_address_is_optional_in_a_keystore(keystore: Path) -> None:
    assert keystore_address(changed(keystore, address="nonsense")) is None


@pytest.mark.parametrize("text", [KEY.hex(), "0x" + KEY.hex() + "\n"])
def test_key_file_holds_hex_digits(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    assert load_key_file(path) == KEY


def test_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(KEY.hex())
    path.chmod(0o640)
    with pytest.raises(KeystoreError, match="chmod 600"):
        load_key_file(path)


def test_key_file_from_systemd_is_its_services_alone_whatever_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    for path in (credentials / "key", credentials / "below" / "key", tmp_path / "key"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(KEY.hex())
        path.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert load_key_file(credentials / "key") == KEY
    for path in (credentials / "below" / "key", tmp_path / "key"):
        with pytest.raises(KeystoreError, match="chmod 600"):
            load_key_file(path)


@pytest.mark.parametrize("text", ["", "0x", KEY.hex()[:-2], KEY.hex() + "00", "00" * 32, "é" * 64])
def test_content_of_a_wrong_key_file_is_never_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeystoreError, match="no private key") as caught:
        load_key_file(path)
    assert not text or text not in str(caught.value)


def test_new_keys_differ() -> None:
    assert len({new_private_key() for _ in range(20)}) == 20


def test_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("  spaces count \nsecond line\n")
    assert read_password(file=path) == "  spaces count "


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 2000])
def test_password_file_without_password_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(PasswordUnavailableError) as caught:
        read_password(file=path)
    assert "xxxx" not in str(caught.value)


def test_prompt_is_asked_and_confirmed() -> None:
    answers = iter(["secret", "secret"])
    assert read_password(prompt="Password: ", confirm=True, ask=lambda _: next(answers)) == "secret"


@pytest.mark.parametrize("answers", [["secret", "other"], ["", ""]])
def test_prompt_refuses_empty_and_differing_passwords(answers: list[str]) -> None:
    given = iter(answers)
    with pytest.raises(PasswordUnavailableError) as caught:
        read_password(prompt="Password: ", confirm=True, ask=lambda _: next(given))
    assert "secret" not in str(caught.value)


def test_without_a_terminal_the_file_option_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    with pytest.raises(PasswordUnavailableError, match="--password-file"):
        read_password(prompt="Password: ")


def test_no_source_at_all_is_an_error() -> None:
    with pytest.raises(PasswordUnavailableError, match="no password was given"):
        read_password()


def test_keyring_gives_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {("streamrp2p", "node"): "from the keyring"}
    monkeypatch.setattr("keyring.get_password", lambda service, user: known.get((service, user)))
    assert read_password(keyring_user="node") == "from the keyring"
    with pytest.raises(PasswordUnavailableError, match="keyring set streamrp2p other"):
        read_password(keyring_user="other")


def test_missing_keyring_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(PasswordUnavailableError, match=r'pip install "\.\[node\]"'):
        read_password(keyring_user="node")


def test_keyring_without_a_backend_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.errors import NoKeyringError  # noqa: PLC0415

    def fail(*_: str) -> str:
        raise NoKeyringError("no backend")

    monkeypatch.setattr("keyring.get_password", fail)
    with pytest.raises(PasswordUnavailableError, match="use a password file"):
        read_password(keyring_user="node")
