"""Section 6: trees by recursion over an explicitly padded list."""

from collections.abc import Sequence
from typing import TypeVar

from tests.differential.oracle.hashing import keccak

Leaf = TypeVar("Leaf")
Sum = tuple[bytes, int]
EMPTY: Sum = (bytes(32), 0)


def plain_root(leaves: Sequence[bytes]) -> bytes:
    return _plain(_padded(leaves, bytes(32))) if leaves else bytes(32)


def plain_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """List the siblings from the leaf up."""
    row = _padded(leaves, bytes(32))
    if len(row) == 1:
        return []
    half = len(row) // 2
    left, right = row[:half], row[half:]
    if index < half:
        return [*plain_path(left, index), _plain(right)]
    return [*plain_path(right, index - half), _plain(left)]


def range_path(leaves: Sequence[bytes], first: int, width: int) -> list[bytes]:
    """List what is beside the range, level by level: the siblings of its ancestors that are none themselves."""
    row = _padded(leaves, bytes(32))
    beside = []
    size = 1
    while size < len(row):
        ancestors = {index // size for index in range(first, first + width)}
        beside += [
            _plain(row[place * size : (place + 1) * size])
            for place in sorted({place ^ 1 for place in ancestors} - ancestors)
        ]
        size *= 2
    return beside


def sum_leaf(digest: bytes, total: int) -> Sum:
    return keccak(b"\x00" + digest + total.to_bytes(16, "big")), total


def sum_root(leaves: Sequence[Sum]) -> Sum:
    return _sum(_padded(leaves, EMPTY)) if leaves else EMPTY


def sum_path(leaves: Sequence[Sum], index: int) -> list[Sum]:
    row = _padded(leaves, EMPTY)
    if len(row) == 1:
        return []
    half = len(row) // 2
    left, right = row[:half], row[half:]
    if index < half:
        return [*sum_path(left, index), _sum(right)]
    return [*sum_path(right, index - half), _sum(left)]


def claim_leaf(account: bytes, entries: Sequence[int]) -> bytes:
    return keccak(keccak(account + b"".join(entry.to_bytes(32, "big") for entry in entries)))


def _padded(leaves: Sequence[Leaf], padding: Leaf) -> list[Leaf]:
    row = list(leaves)
    while len(row) & (len(row) - 1):
        row.append(padding)
    return row


def _plain(row: list[bytes]) -> bytes:
    if len(row) == 1:
        return row[0]
    half = len(row) // 2
    return keccak(_plain(row[:half]) + _plain(row[half:]))


def _sum(row: list[Sum]) -> Sum:
    if len(row) == 1:
        return row[0]
    half = len(row) // 2
    (left, left_sum), (right, right_sum) = _sum(row[:half]), _sum(row[half:])
    parts = (b"\x01", left, left_sum.to_bytes(16, "big"), right, right_sum.to_bytes(16, "big"))
    return keccak(b"".join(parts)), left_sum + right_sum
