"""secp256k1 signatures of 65 bytes `r ‖ s ‖ v`, low-s only. Source: docs/protocol.md section 3."""

from coincurve import PrivateKey, PublicKey

from streamrp2p.errors import HighSError, SignatureError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, Signature

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGNATURE_LENGTH = 65
PRIVATE_KEY_LENGTH = 32


def address_of(private_key: bytes) -> Address:
    """Return the address of a 32-byte private key; raises SignatureError when it is not a valid key."""
    return _address(_key(private_key).public_key)


def sign(digest: Hash, private_key: bytes) -> Signature:
    """Sign a 32-byte digest deterministically (RFC 6979). libsecp256k1 always returns the low s.

    Raises SignatureError for an invalid key.
    """
    compact = _key(private_key).sign_recoverable(digest, hasher=None)
    return Signature(compact[:64] + bytes([compact[64] + 27]))


def check_low_s(signature: bytes) -> None:
    """Raise HighSError when `s > n/2`. Any other defect is left to `recover`."""
    if len(signature) == SIGNATURE_LENGTH and int.from_bytes(signature[32:64]) > CURVE_ORDER // 2:
        raise HighSError("signature has a high s; sign again in the low-s form")


def recover(digest: Hash, signature: bytes) -> Address:
    """Return the address that signed `digest`; raises SignatureError for anything but a canonical signature."""
    if len(signature) != SIGNATURE_LENGTH:
        raise SignatureError(f"a signature has {SIGNATURE_LENGTH} bytes, got {len(signature)}")
    if signature[64] not in (27, 28):
        raise SignatureError(f"a signature's last byte is 27 or 28, got {signature[64]}")
    check_low_s(signature)
    try:
        public_key = PublicKey.from_signature_and_message(
            bytes(signature[:64]) + bytes([signature[64] - 27]), digest, hasher=None
        )
    except Exception as error:  # coincurve raises bare Exception and ValueError alike
        raise SignatureError("signature does not recover to any key") from error
    return _address(public_key)


def check_signer(digest: Hash, signature: bytes, expected: Address, who: str) -> None:
    """Raise SignatureError unless `expected` signed `digest`; `who` names the expected signer in the message."""
    signer = recover(digest, signature)
    if signer != expected:
        raise SignatureError(f"signed by 0x{signer.hex()}, expected {who} 0x{expected.hex()}")


def _key(private_key: bytes) -> PrivateKey:
    number = int.from_bytes(private_key)
    if len(private_key) != PRIVATE_KEY_LENGTH or not 0 < number < CURVE_ORDER:
        raise SignatureError("a private key must be 32 bytes, neither 0 nor beyond the curve order")
    return PrivateKey(private_key)


def _address(public_key: PublicKey) -> Address:
    return Address(keccak(public_key.format(compressed=False)[1:])[12:])
