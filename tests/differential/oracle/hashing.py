"""Keccak-256 by pycryptodome, and the concatenation of section 2 by eth_abi."""

from Crypto.Hash import keccak as pycryptodome
from eth_abi.packed import encode_packed


def keccak(data: bytes) -> bytes:
    return pycryptodome.new(digest_bits=256, data=data).digest()


def packed(*fields: tuple[str, object]) -> bytes:
    """Concatenate `(solidity type, value)` pairs at their full width."""
    return bytes(encode_packed([kind for kind, _ in fields], [value for _, value in fields]))
