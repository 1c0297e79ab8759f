"""Units and bounds that every module shares. Source: docs/protocol.md section 2."""

from typing import NewType

from streamrp2p.errors import MalformedError

Address = NewType("Address", bytes)
"""20 bytes."""
SessionId = NewType("SessionId", bytes)
"""32 bytes: the ticket's EIP-712 struct hash."""
Hash = NewType("Hash", bytes)
"""32 bytes of Keccak-256 (or SHA-256 where the name says so)."""
Signature = NewType("Signature", bytes)
"""65 bytes `r ‖ s ‖ v`."""
BaseUnits = NewType("BaseUnits", int)
"""A token amount in the token's smallest unit."""

BYTES_PER_GB = 10**9
ZERO_HASH = Hash(bytes(32))
ZERO_ADDRESS = Address(bytes(20))
MAX_POOLS_PER_ACCOUNT = 256
CLOCK_SKEW_SECONDS = 120
"""How far a receipt's `signedAt` may lie outside its ticket's validity (section 4, code 4)."""


def uint(value: object, bits: int, name: str) -> int:
    """Return `value` if it is an unsigned integer of at most `bits` bits; raise MalformedError naming it otherwise."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedError(f"{name} must be an integer, got {type(value).__name__}")
    if not 0 <= value < 1 << bits:
        # Not the number itself: it may have more digits than Python prints.
        got = "a negative one" if value < 0 else f"one of {value.bit_length()} bits"
        raise MalformedError(f"{name} must be an unsigned integer below 2^{bits}, got {got}")
    return value


def fixed(value: object, length: int, name: str) -> bytes:
    """Return `value` if it has exactly `length` bytes; raise MalformedError naming it otherwise."""
    if not isinstance(value, bytes) or len(value) != length:
        got = f"{len(value)} bytes" if isinstance(value, bytes) else type(value).__name__
        raise MalformedError(f"{name} must have {length} bytes, got {got}")
    return value
