"""The protocol's hash, which trees and signatures spend their time in."""

from collections.abc import Iterator
from functools import partial

from benchmarks.measurement import Measurement, measured
from streamrp2p.keccak import keccak

COUNT = 100_000


def measure() -> Iterator[Measurement]:
    """Hash one node of a plain tree and one of a sum tree, many times."""
    for length in (64, 97):
        work = partial(hash_repeatedly, bytes(length))
        yield measured(f"keccak of {length} bytes", work, items=COUNT)


def hash_repeatedly(data: bytes) -> None:
    for _ in range(COUNT):
        keccak(data)
