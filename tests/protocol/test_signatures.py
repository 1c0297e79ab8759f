from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.errors import HighSError, SignatureError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash
from streamrp2p.signatures import (
    CURVE_ORDER,
    address_of,
    check_low_s,
    check_signer,
    recover,
    sign,
)

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADDRESS = Address(bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266"))
DIGEST = keccak(b"a message")
SIGNATURE = sign(DIGEST, KEY)


def with_s(s: int) -> bytes:
    return SIGNATURE[:32] + s.to_bytes(32) + SIGNATURE[64:]


def test_a_key_has_the_address_that_every_wallet_shows() -> None:
    assert address_of(KEY) == ADDRESS


def test_a_signature_recovers_to_its_signer() -> None:
    assert recover(DIGEST, SIGNATURE) == ADDRESS
    check_signer(DIGEST, SIGNATURE, ADDRESS, "the poster")


def test_signing_is_deterministic_and_low_s() -> None:
    assert sign(DIGEST, KEY) == SIGNATURE
    assert 0 < int.from_bytes(SIGNATURE[32:64]) <= CURVE_ORDER // 2


def test_a_wrong_signer_is_named_with_who_was_expected() -> None:
    other = Address(bytes(20))
    with pytest.raises(SignatureError, match=rf"0x{ADDRESS.hex()}, expected the poster 0x00"):
        check_signer(DIGEST, SIGNATURE, other, "the poster")


def test_the_high_s_twin_is_refused_though_it_is_by_the_same_key() -> None:
    twin = with_s(CURVE_ORDER - int.from_bytes(SIGNATURE[32:64]))
    twin = twin[:64] + bytes([55 - SIGNATURE[64]])
    with pytest.raises(HighSError):
        recover(DIGEST, twin)
    with pytest.raises(HighSError):
        check_low_s(twin)


def test_half_the_order_is_the_highest_low_s() -> None:
    check_low_s(with_s(CURVE_ORDER // 2))
    with pytest.raises(HighSError):
        check_low_s(with_s(CURVE_ORDER // 2 + 1))


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        SIGNATURE[:64],
        SIGNATURE + b"\0",
        SIGNATURE[:64] + b"\0",
        SIGNATURE[:64] + bytes([29]),
        bytes(32) + SIGNATURE[32:],
        with_s(0),
        CURVE_ORDER.to_bytes(32) + SIGNATURE[32:],
        bytes(64) + b"\x1b",
    ],
    ids=["empty", "no v", "too long", "v 0", "v 29", "r 0", "s 0", "r of the order", "zeros"],
)
def test_malformed_signatures_are_refused(signature: bytes) -> None:
    with pytest.raises(SignatureError):
        recover(DIGEST, signature)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 30, 255])
def test_the_last_byte_is_27_or_28(v: int) -> None:
    with pytest.raises(SignatureError, match=f"27 or 28, got {v}"):
        recover(DIGEST, SIGNATURE[:64] + bytes([v]))


@given(st.binary(max_size=70))
def test_arbitrary_bytes_recover_to_an_address_or_are_refused(signature: bytes) -> None:
    with suppress(SignatureError):
        assert len(recover(DIGEST, signature)) == 20


@given(st.integers(0, 64), st.integers(1, 255))
def test_no_changed_signature_is_the_signers(at: int, change: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[at] ^= change
    with pytest.raises(SignatureError):
        check_signer(DIGEST, bytes(changed), ADDRESS, "the poster")


@pytest.mark.parametrize(
    "key", [b"", b"\x01", bytes(32), CURVE_ORDER.to_bytes(32), b"\xff" * 32, b"\1" * 33]
)
def test_an_invalid_private_key_is_refused_and_not_shown(key: bytes) -> None:
    for use in (lambda: address_of(key), lambda: sign(Hash(bytes(32)), key)):
        with pytest.raises(SignatureError) as caught:
            use()
        assert not key or key.hex() not in str(caught.value)
