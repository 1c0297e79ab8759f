"""Recompute an epoch from public data alone and name the first difference. Source: docs/protocol.md section 9.

Pure: the caller brings the committed header, the bundle's bytes, the parent and the chain's facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import zip_longest
from typing import Any

from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.errors import BundleError, SettlementError, SignatureError, TreeError
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address
from streamrp2p.plain_tree import first_unordered
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import NodeRow, PoolRow
from streamrp2p.settlement import Parent, PoolInput, Settlement, settle
from streamrp2p.signatures import check_signer
from streamrp2p.typed_data import Domain, Rejection
from streamrp2p.verify import Checked, leaf_fault


@dataclass(frozen=True, slots=True)
class ByteIdentical:
    """Every signature holds and every recomputed byte is the committed one."""

    settlement: Settlement


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is wrong. `proof` is the fraud proof of section 8 that shows it.

    `row` names the leaf or header (such as `pool 3, node 0x…`), `field` its part; values are printable.
    """

    proof: str
    row: str
    field: str
    expected: str
    found: str


Verdict = ByteIdentical | Difference


def audit(
    domain: Domain,
    header: EpochHeader,
    data: bytes,
    parent: Parent,
    pools: Sequence[PoolInput],
    poster: Address,
) -> Verdict:
    """Judge one committed epoch. `pools` are the pools that the chain calls open, rising by id.

    Never raises for wrong bundle bytes: they are the difference that is reported.
    """
    if keccak(data) != header.data_hash:
        return Difference(
            "Withheld", "bundle", "dataHash", _hex(header.data_hash), _hex(keccak(data))
        )
    try:
        bundle = decode_bundle(data)
    except BundleError as error:
        return Difference("Withheld", "bundle", error.field, "a valid bundle", error.reason)
    difference = (
        _preface_difference(bundle, domain, header, parent)
        or _pools_difference(bundle, pools)
        or _sessions_difference(bundle, domain, pools)
        or _rejections_difference(bundle, domain, poster)
    )
    if difference is not None:
        return difference
    sessions = [Checked(SessionRecord.decode(record)) for record in bundle.session_records]
    try:
        settled = settle(domain, header.epoch, parent, pools, sessions, bundle.rejections)
    except (SettlementError, TreeError) as error:
        return Difference("BadOrder", "epoch", "inputs", "inputs that settle", str(error))
    return _first_difference(bundle, settled.bundle) or _header_difference(header, settled)


def _preface_difference(
    bundle: Bundle, domain: Domain, header: EpochHeader, parent: Parent
) -> Difference | None:
    pairs = (
        ("chainId", domain.chain_id, bundle.chain_id),
        ("epochBook", domain.epoch_book, bundle.epoch_book),
        ("epoch", header.epoch, bundle.epoch),
        ("parent", header.parent, bundle.parent),
        ("parent", parent.header_hash, header.parent),
    )
    for name, expected, found in pairs:
        if expected != found:
            return Difference("Withheld", "bundle", name, _text(expected), _text(found))
    return None


def _pools_difference(bundle: Bundle, pools: Sequence[PoolInput]) -> Difference | None:
    found_ids = [row.pool_id for row in bundle.pool_rows]
    unordered = first_unordered(found_ids)
    if unordered is not None:
        return Difference("BadOrder", f"pool row {unordered}", "poolId", f"above {found_ids[unordered - 1]}",
                          str(found_ids[unordered]))  # fmt: skip
    open_ids = [pool.pool_id for pool in pools]
    for expected, found in zip_longest(open_ids, found_ids):
        if expected != found:
            return Difference("BadPool", "pools", "poolId", _text(expected), _text(found))
    return None


def _sessions_difference(
    bundle: Bundle, domain: Domain, pools: Sequence[PoolInput]
) -> Difference | None:
    signers = {pool.pool_id: pool.terms.ticket_signer for pool in pools}
    for pool_row, node_row, encoded in bundle.by_node():
        records = [SessionRecord.decode(record) for record in encoded]
        where = f"pool {pool_row.pool_id}, node {_hex(node_row.node)}"
        unordered = first_unordered([record.session_id for record in records])
        if unordered is not None:
            return Difference("BadOrder", where, f"session {unordered}", "a rising session id",
                              _hex(records[unordered].session_id))  # fmt: skip
        for record in records:
            session = f"{where}, session {_hex(record.session_id)}"
            belongs = (
                ("poolId", pool_row.pool_id, record.ticket.pool_id),
                ("node", node_row.node, record.ticket.node),
            )
            for name, expected, found in belongs:
                if expected != found:
                    return Difference("BadSession", session, name, _text(expected), _text(found))
            fault = leaf_fault(record, domain, bundle.epoch, signers[pool_row.pool_id])
            if fault is not None:
                return Difference("BadSession", session, "rule", "a valid record", fault.name)
            if record.weight == 0:
                return Difference("BadSession", session, "weight", "more than 0", "0")
    return None


def _rejections_difference(bundle: Bundle, domain: Domain, poster: Address) -> Difference | None:
    unordered = first_unordered([rejection.encode() for rejection in bundle.rejections])
    if unordered is not None:
        return Difference(
            "Withheld", f"rejection {unordered}", "order", "rising bytes", "not rising"
        )
    for index, signed in enumerate(bundle.rejections):
        message = Rejection(signed.session_id, signed.sequence, signed.code, signed.received_at)  # type: ignore[arg-type]
        try:
            check_signer(message.digest(domain), signed.signature, poster, "the poster")
        except SignatureError as error:
            return Difference(
                "Withheld",
                f"rejection {index}",
                "signature",
                "the poster's",
                str(error),
            )
    return None


_POOL_PROOFS = {"nodes_root": "BadSum", "node_count": "BadSum", "weight": "BadSum"}
_NODE_PROOFS = {"reward": "BadReward", "node": "BadOrder"}


def _first_difference(found: Bundle, expected: Bundle) -> Difference | None:
    for (found_pool, found_nodes), (pool, nodes) in zip(
        found.by_pool(), expected.by_pool(), strict=True
    ):
        where = f"pool {pool.pool_id}"
        for node, found_node in zip_longest(nodes, found_nodes):
            difference = _row_difference(node, found_node, f"{where}, node", _NODE_PROOFS, "BadSum")
            if difference is not None:
                return difference
        difference = _row_difference(pool, found_pool, where, _POOL_PROOFS, "BadSpend")
        if difference is not None:
            return difference
    for claim, found_claim in zip_longest(expected.claims, found.claims):
        if claim != found_claim:
            return _claim_difference(claim, found_claim)
    return None


def _row_difference(
    expected: NodeRow | PoolRow | None,
    found: NodeRow | PoolRow | None,
    where: str,
    proofs: dict[str, str],
    otherwise: str,
) -> Difference | None:
    if isinstance(expected, NodeRow):
        where = f"{where} {_hex(expected.node)}"
    if expected is None or found is None:
        return Difference("BadSum", where, "row", _presence(expected), _presence(found))
    for field in fields(expected):
        wanted, got = getattr(expected, field.name), getattr(found, field.name)
        if wanted != got:
            return Difference(
                proofs.get(field.name, otherwise),
                where,
                _camel(field.name),
                _text(wanted),
                _text(got),
            )
    return None


def _claim_difference(expected: ClaimLeaf | None, found: ClaimLeaf | None) -> Difference:
    if expected is None or found is None or expected.account != found.account:
        account = expected or found
        return Difference("BadClaim", "claims", "account", _hex(expected.account) if expected else "no more accounts",
                          _hex(found.account) if found else f"nothing for {_hex(account.account) if account else ''}")  # fmt: skip
    return Difference(
        "BadClaim",
        f"account {_hex(expected.account)}",
        "entries",
        _entries(expected),
        _entries(found),
    )


def _header_difference(header: EpochHeader, settled: Settlement) -> Verdict:
    for field in fields(header):
        expected, found = (
            getattr(settled.header, field.name),
            getattr(header, field.name),
        )
        if expected != found:
            return Difference(
                "BadSum",
                f"header {header.epoch}",
                _camel(field.name),
                _text(expected),
                _text(found),
            )
    return ByteIdentical(settled)


def _entries(claim: ClaimLeaf) -> str:
    return ", ".join(f"pool {pool_id}: {reward}" for pool_id, reward in claim.rewards().items())


def _presence(row: object | None) -> str:
    return "none" if row is None else "a row"


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _text(value: Any) -> str:
    return _hex(value) if isinstance(value, bytes) else str(value)
