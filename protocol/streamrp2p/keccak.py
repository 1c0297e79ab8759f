"""Keccak-256, the protocol's one hash function (SHA-256 appears only for media segments)."""

from collections.abc import Iterable

from sha3 import keccak_256  # type: ignore[import-untyped]

from streamrp2p.numbers import Hash


def keccak(data: bytes) -> Hash:
    """Return the 32-byte Keccak-256 of `data`."""
    return Hash(keccak_256(data).digest())


def keccak_stream(chunks: Iterable[bytes]) -> Hash:
    """Return the Keccak-256 of the chunks' concatenation without holding it in memory."""
    state = keccak_256()
    for chunk in chunks:
        state.update(chunk)
    return Hash(state.digest())
