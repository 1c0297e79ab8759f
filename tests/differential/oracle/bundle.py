"""Sections 6 and 9: a bundle's parts and its header, from the bytes alone; and an epoch by the rules of section 5."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.differential.oracle.hashing import keccak, packed
from tests.differential.oracle.messages import decode_record
from tests.differential.oracle.rules import rewards_of, spend_of, weight_of_record
from tests.differential.oracle.trees import claim_leaf, plain_root, sum_leaf, sum_root


@dataclass
class Parts:
    """A bundle cut into pieces; rows stay bytes."""

    chain_id: int
    epoch_book: bytes
    epoch: int
    parent: bytes
    pool_rows: list[bytes] = field(default_factory=list)
    node_rows: list[bytes] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    claims: list[tuple[bytes, list[int]]] = field(default_factory=list)
    rejections: list[bytes] = field(default_factory=list)


def cut(data: bytes) -> Parts:
    """Cut a file into its parts; ValueError when the counts do not fit the length."""
    if data[:8] != b"SRP2PB01":
        raise ValueError("magic")
    parts = Parts(_number(data[8:16]), data[16:36], _number(data[36:44]), data[44:76])
    counts = [_number(data[at : at + 4]) for at in range(76, 100, 4)]
    lengths = (88, 88, 274, 22, 32, 111)
    pieces: list[list[bytes]] = []
    at = 100
    for count, length in zip(counts, lengths, strict=True):
        if at + count * length > len(data):
            raise ValueError("too short")
        pieces.append([data[at + n * length : at + (n + 1) * length] for n in range(count)])
        at += count * length
    if at != len(data):
        raise ValueError("left over")
    parts.pool_rows, parts.node_rows, parts.records, heads, entries, parts.rejections = pieces
    if (
        sum(_number(row[36:40]) for row in parts.pool_rows) != len(parts.node_rows)
        or sum(_number(row[52:56]) for row in parts.node_rows) != len(parts.records)
        or sum(_number(head[20:22]) for head in heads) != len(entries)
    ):
        raise ValueError("counts")
    for head in heads:
        own, entries = entries[: _number(head[20:22])], entries[_number(head[20:22]) :]
        parts.claims.append((head[:20], [_number(word) for word in own]))
    return parts


def is_consistent(parts: Parts) -> bool:
    """Tell whether each row's root, count and sum are those of what lies beneath it."""
    nodes, records = list(parts.node_rows), list(parts.records)
    for pool_row in parts.pool_rows:
        own, nodes = nodes[: _number(pool_row[36:40])], nodes[_number(pool_row[36:40]) :]
        for node_row in own:
            count = _number(node_row[52:56])
            sessions, records = records[:count], records[count:]
            top = sum_root([sum_leaf(keccak(one), weight_of_record(one)) for one in sessions])
            if (node_row[20:52], _number(node_row[56:72])) != top:
                return False
        top = sum_root([sum_leaf(keccak(row), _number(row[56:72])) for row in own])
        if (pool_row[4:36], _number(pool_row[40:56])) != top:
            return False
    return True


def header_of(data: bytes) -> dict[str, object]:
    """Return the header that the bytes lead to."""
    parts = cut(data)
    pools_root, weight = sum_root(
        [sum_leaf(keccak(row), _number(row[40:56])) for row in parts.pool_rows]
    )
    return {
        "epoch": parts.epoch,
        "parent": parts.parent,
        "poolsRoot": pools_root,
        "poolCount": len(parts.pool_rows),
        "weight": weight,
        "claimsRoot": plain_root([claim_leaf(account, words) for account, words in parts.claims]),
        "claimCount": len(parts.claims),
        "dataHash": keccak(data),
    }


HEADER = (("uint64", "epoch"), ("bytes32", "parent"), ("bytes32", "poolsRoot"), ("uint32", "poolCount"),
          ("uint128", "weight"), ("bytes32", "claimsRoot"), ("uint32", "claimCount"),
          ("bytes32", "dataHash"))  # fmt: skip


def header_bytes(header: dict[str, object]) -> bytes:
    return packed(*((kind, header[name]) for kind, name in HEADER))


@dataclass(frozen=True)
class PoolTerms:
    pool_id: int
    price: int
    budget: int
    funded: int


def settle(
    chain_id: int,
    epoch_book: bytes,
    epoch: int,
    parent_hash: bytes,
    parent: Parts | None,
    pools: Sequence[PoolTerms],
    records: Sequence[bytes],
    rejections: Sequence[bytes] = (),
) -> bytes:
    """Return the bundle's bytes by section 5, from records in any order."""
    previous = {_number(row[:4]): _number(row[72:88]) for row in parent.pool_rows} if parent else {}
    cumulative = {account: dict(map(_entry, words)) for account, words in parent.claims} if parent else {}  # fmt: skip
    pool_rows, node_rows, ordered = [], [], []
    for pool in pools:
        by_node: dict[bytes, list[tuple[bytes, bytes]]] = {}
        for record in records:
            ticket, _, receipt, _ = decode_record(record)
            if ticket["poolId"] == pool.pool_id and weight_of_record(record) > 0:
                by_node.setdefault(record[12:32], []).append((_bytes(receipt["sessionId"]), record))
        nodes = sorted(by_node)
        weights = [sum(weight_of_record(one) for _, one in by_node[node]) for node in nodes]
        spent = previous.get(pool.pool_id, 0)
        spend = spend_of(sum(weights), pool.price, pool.budget, pool.funded, spent)
        own_rows = []
        for node, weight, reward in zip(nodes, weights, rewards_of(spend, weights), strict=True):
            sessions = [record for _, record in sorted(by_node[node])]
            root, _ = sum_root([sum_leaf(keccak(one), weight_of_record(one)) for one in sessions])
            own_rows.append(
                packed(
                    ("address", node),
                    ("bytes32", root),
                    ("uint32", len(sessions)),
                    ("uint128", weight),
                    ("uint128", reward),
                )
            )
            ordered += sessions
            if reward:
                own = cumulative.setdefault(node, {})
                own[pool.pool_id] = own.get(pool.pool_id, 0) + reward
        root, _ = sum_root(
            [sum_leaf(keccak(row), weight) for row, weight in zip(own_rows, weights, strict=True)]
        )
        pool_rows.append(
            packed(
                ("uint32", pool.pool_id),
                ("bytes32", root),
                ("uint32", len(own_rows)),
                ("uint128", sum(weights)),
                ("uint128", spend),
                ("uint128", spent + spend),
            )
        )
        node_rows += own_rows
    heads, words = b"", b""
    for account in sorted(cumulative):
        entries = sorted(cumulative[account].items())
        heads += packed(("address", account), ("uint16", len(entries)))
        words += b"".join(((pool << 128) + reward).to_bytes(32, "big") for pool, reward in entries)
    refused = sorted(set(rejections))
    counts = (
        len(pool_rows),
        len(node_rows),
        len(ordered),
        len(cumulative),
        len(words) // 32,
        len(refused),
    )
    return (
        b"SRP2PB01"
        + packed(("uint64", chain_id), ("address", epoch_book), ("uint64", epoch), ("bytes32", parent_hash))
        + packed(*(("uint32", count) for count in counts))
        + b"".join([*pool_rows, *node_rows, *ordered, heads, words, *refused])
    )  # fmt: skip


def _entry(word: int) -> tuple[int, int]:
    return word >> 128, word % 2**128


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
