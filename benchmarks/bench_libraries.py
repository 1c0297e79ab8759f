"""What the libraries chosen for hash and curve save over the usual ones (docs/adr/0009)."""

from collections.abc import Iterator

from Crypto.Hash import keccak as pycryptodome
from eth_account import Account

from benchmarks.measurement import Measurement, measured
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Hash
from streamrp2p.signatures import recover, sign

COUNT = 200
MESSAGE = Hash(bytes(range(32)))


def measure() -> Iterator[Measurement]:
    """Hash and recover with ours and with what eth-account uses by itself."""
    signature = sign(MESSAGE, bytes([1]) * 32)
    yield measured("keccak, ours", lambda: [keccak(MESSAGE) for _ in range(COUNT)], items=COUNT)
    yield measured(
        "keccak, pycryptodome",
        lambda: [pycryptodome.new(digest_bits=256, data=MESSAGE).digest() for _ in range(COUNT)],
        items=COUNT,
    )
    yield measured(
        "recover, ours", lambda: [recover(MESSAGE, signature) for _ in range(COUNT)], items=COUNT
    )
    yield measured(
        "recover, eth-account",
        lambda: [
            Account._recover_hash(MESSAGE, signature=signature)  # noqa: SLF001 - the rest is prefixes
            for _ in range(COUNT)
        ],
        items=COUNT,
    )
