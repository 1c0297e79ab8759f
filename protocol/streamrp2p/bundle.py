"""The canonical bundle: every leaf of every tree of one epoch, byte for byte. Source: docs/protocol.md section 9."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct

from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.errors import BundleError
from streamrp2p.keccak import keccak_stream
from streamrp2p.numbers import Address, Hash, fixed, uint
from streamrp2p.receipt import RECORD_LENGTH
from streamrp2p.records import NodeRow, PoolRow, SignedRejection

MAGIC = b"SRP2PB01"
_PREFACE = Struct(">8sQ20sQ32s6I")
_CLAIM_HEAD = Struct(">20sH")
_WORD = 32
_CHUNK_ITEMS = 4096


@dataclass(frozen=True, slots=True)
class Bundle:
    """One epoch's public data, in the order of the file. Session records stay encoded: 274 bytes each."""

    chain_id: int
    epoch_book: Address
    epoch: int
    parent: Hash
    pool_rows: tuple[PoolRow, ...] = ()
    node_rows: tuple[NodeRow, ...] = ()
    session_records: tuple[bytes, ...] = ()
    claims: tuple[ClaimLeaf, ...] = ()
    rejections: tuple[SignedRejection, ...] = field(default=())

    def chunks(self) -> Iterator[bytes]:
        """Yield the file in chunks of bounded size; raises MalformedError when a field is out of range."""
        yield _PREFACE.pack(
            MAGIC,
            uint(self.chain_id, 64, "chainId"),
            fixed(self.epoch_book, 20, "epochBook"),
            uint(self.epoch, 64, "epoch"),
            fixed(self.parent, 32, "parent"),
            uint(len(self.pool_rows), 32, "poolCount"),
            uint(len(self.node_rows), 32, "nodeCount"),
            uint(len(self.session_records), 32, "sessionCount"),
            uint(len(self.claims), 32, "claimCount"),
            uint(sum(len(claim.entries) for claim in self.claims), 32, "entryCount"),
            uint(len(self.rejections), 32, "rejectionCount"),
        )
        yield from _joined(row.encode() for row in self.pool_rows)
        yield from _joined(row.encode() for row in self.node_rows)
        yield from _joined(
            fixed(record, RECORD_LENGTH, "session record") for record in self.session_records
        )
        yield from _joined(
            _CLAIM_HEAD.pack(
                fixed(claim.account, 20, "account"), uint(len(claim.entries), 16, "entries")
            )
            for claim in self.claims
        )
        yield from _joined(word for claim in self.claims for word in claim.words())
        yield from _joined(rejection.encode() for rejection in self.rejections)

    def encode(self) -> bytes:
        """Return the whole file."""
        return b"".join(self.chunks())

    def data_hash(self) -> Hash:
        """Return the header's `dataHash` without holding the file in memory."""
        return keccak_stream(self.chunks())

    def by_pool(self) -> Iterator[tuple[PoolRow, tuple[NodeRow, ...]]]:
        """Yield each pool row with its own node rows."""
        start = 0
        for row in self.pool_rows:
            yield row, self.node_rows[start : start + row.node_count]
            start += row.node_count

    def by_node(self) -> Iterator[tuple[PoolRow, NodeRow, tuple[bytes, ...]]]:
        """Yield each node row with its pool's row and its own session records."""
        start = 0
        for pool_row, node_rows in self.by_pool():
            for row in node_rows:
                yield (
                    pool_row,
                    row,
                    self.session_records[start : start + row.session_count],
                )
                start += row.session_count


def decode_bundle(data: bytes) -> Bundle:
    """Read a file. Raises BundleError unless magic, counts and length agree to the byte.

    Order and content are not judged here: a wrong epoch must stay readable to be proven wrong (`audit`).
    """
    reader = _Reader(data)
    preface = reader.take(_PREFACE.size, 1, "preface")[0]
    magic, chain_id, epoch_book, epoch, parent, *counts = _PREFACE.unpack(preface)
    if magic != MAGIC:
        raise BundleError("magic", f"expected {MAGIC!r}, found {magic!r}")
    pool_count, node_count, session_count, claim_count, entry_count, rejection_count = counts
    pool_rows = tuple(map(PoolRow.decode, reader.take(PoolRow.LENGTH, pool_count, "pool rows")))
    node_rows = tuple(map(NodeRow.decode, reader.take(NodeRow.LENGTH, node_count, "node rows")))
    records = tuple(reader.take(RECORD_LENGTH, session_count, "session records"))
    heads = [
        _CLAIM_HEAD.unpack(head)
        for head in reader.take(_CLAIM_HEAD.size, claim_count, "claim heads")
    ]
    words = [int.from_bytes(word) for word in reader.take(_WORD, entry_count, "claim entries")]
    rejections = tuple(
        map(
            SignedRejection.decode,
            reader.take(SignedRejection.LENGTH, rejection_count, "rejections"),
        )
    )
    reader.expect_end()
    _expect_sum("node rows", node_count, (row.node_count for row in pool_rows))
    _expect_sum("session records", session_count, (row.session_count for row in node_rows))
    _expect_sum("claim entries", entry_count, (number for _, number in heads))
    claims, start = [], 0
    for account, number in heads:
        claims.append(ClaimLeaf(account, tuple(words[start : start + number])))
        start += number
    return Bundle(
        chain_id,
        Address(epoch_book),
        epoch,
        Hash(parent),
        pool_rows,
        node_rows,
        records,
        tuple(claims),
        rejections,
    )


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    def take(self, length: int, count: int, what: str) -> list[bytes]:
        end = self._offset + length * count
        if end > len(self._data):
            raise BundleError(what, f"needs bytes up to {end}, the file has {len(self._data)}")
        items = [self._data[at : at + length] for at in range(self._offset, end, length)]
        self._offset = end
        return items

    def expect_end(self) -> None:
        if self._offset != len(self._data):
            raise BundleError("end", f"{len(self._data) - self._offset} bytes are left over")


def _expect_sum(what: str, count: int, parts: Iterator[int]) -> None:
    total = sum(parts)
    if total != count:
        raise BundleError(what, f"the file has {count}, its rows speak of {total}")


def _joined(items: Iterator[bytes]) -> Iterator[bytes]:
    batch: list[bytes] = []
    for item in items:
        batch.append(item)
        if len(batch) == _CHUNK_ITEMS:
            yield b"".join(batch)
            batch.clear()
    if batch:
        yield b"".join(batch)
