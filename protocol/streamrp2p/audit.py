"""Recompute an epoch from public data alone and name the first difference. Source: docs/protocol.md section 9.

Pure: the caller brings the committed header, the bundle's bytes, the parent and the chain's facts. The verdict holds
given the parent: whoever doubts it audits the parent too, back to epoch 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.difference import (
    Difference,
    claims_difference,
    header_difference,
    rows_difference,
    text,
)
from streamrp2p.errors import (
    BundleError,
    StreamrP2PError,
    TooManyPoolsError,
    TreeError,
)
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash
from streamrp2p.plain_tree import first_unordered
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import Parent, PoolInput, Settlement, settle
from streamrp2p.typed_data import Domain
from streamrp2p.verify import Checked, session_faults

__all__ = ["ByteIdentical", "Difference", "Verdict", "audit"]


@dataclass(frozen=True, slots=True)
class ByteIdentical:
    """Every signature holds and every recomputed byte is the committed one."""

    settlement: Settlement


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

    Never raises for wrong bundle bytes, of this epoch or of its parent: they are the difference that is reported.
    """
    data_hash = keccak(data)
    if data_hash != header.data_hash:
        return _withheld("bundle", "dataHash", text(header.data_hash), text(data_hash))
    try:
        bundle = decode_bundle(data)
    except BundleError as error:
        return _withheld("bundle", error.field, "a valid bundle", error.reason)
    checked: list[Checked] = []
    difference = (
        _preface_difference(bundle, domain, header, parent)
        or _pools_difference(bundle, pools)
        or _sessions_difference(bundle, domain, pools, checked)
        or _rejections_difference(bundle, domain, poster)
    )
    if difference is not None:
        return difference
    try:
        settled = settle(domain, header.epoch, parent, pools, checked, bundle.rejections)
    except StreamrP2PError as error:
        return Difference(
            _proof_of(error), f"epoch {header.epoch}", "inputs", "inputs that settle", str(error)
        )
    return (
        rows_difference(bundle, settled.bundle)
        or claims_difference(bundle.claims, settled.bundle.claims)
        or header_difference(header, settled.header)
        or ByteIdentical(settled)
    )


def _preface_difference(
    bundle: Bundle, domain: Domain, header: EpochHeader, parent: Parent
) -> Difference | None:
    pairs: tuple[tuple[str, int | bytes, int | bytes], ...] = (
        ("chainId", domain.chain_id, bundle.chain_id),
        ("epochBook", domain.epoch_book, bundle.epoch_book),
        ("epoch", header.epoch, bundle.epoch),
        ("parent", header.parent, bundle.parent),
        ("parent", parent.header_hash, header.parent),
    )
    for name, expected, found in pairs:
        if expected != found:
            return _withheld("bundle", name, text(expected), text(found))
    return None


def _pools_difference(bundle: Bundle, pools: Sequence[PoolInput]) -> Difference | None:
    found_ids = [row.pool_id for row in bundle.pool_rows]
    unordered = first_unordered(found_ids)
    if unordered is not None:
        above = f"above {found_ids[unordered - 1]}"
        return Difference(
            "BadOrder", f"pool row {unordered}", "poolId", above, str(found_ids[unordered])
        )
    for expected, found in zip_longest((pool.pool_id for pool in pools), found_ids):
        if expected != found:
            return Difference("BadPool", "pools", "poolId", text(expected), text(found))
    return None


def _sessions_difference(
    bundle: Bundle, domain: Domain, pools: Sequence[PoolInput], checked: list[Checked]
) -> Difference | None:
    """Check each session by itself and against its rows; gather those that hold in `checked`."""
    signers = {pool.pool_id: pool.terms.ticket_signer for pool in pools}
    for pool_row, node_row, encoded in bundle.by_node():
        where = f"pool {pool_row.pool_id}, node {text(node_row.node)}"
        previous: Hash | None = None
        for record in map(SessionRecord.decode, encoded):
            session = f"{where}, session {text(record.session_id)}"
            if previous is not None and not previous < record.session_id:
                above = f"above {text(previous)}"
                return Difference("BadOrder", session, "sessionId", above, text(record.session_id))
            previous = Hash(record.session_id)
            for name, expected, found in session_faults(
                record, domain, bundle.epoch, pool_row, node_row, signers[pool_row.pool_id]
            ):
                return Difference("BadSession", session, name, expected, found)
            checked.append(Checked(record))
    return None


def _rejections_difference(bundle: Bundle, domain: Domain, poster: Address) -> Difference | None:
    unordered = first_unordered([rejection.encode() for rejection in bundle.rejections])
    if unordered is not None:
        return _withheld(f"rejection {unordered}", "order", "rising bytes", "not rising")
    for index, signed in enumerate(bundle.rejections):
        if not signed.is_signed_by(poster, domain):
            found = f"0x{signed.signature.hex()}"
            return _withheld(f"rejection {index}", "signature", "the poster's", found)
    return None


def _withheld(row: str, field: str, expected: str, found: str) -> Difference:
    return Difference("Withheld", row, field, expected, found)


def _proof_of(error: StreamrP2PError) -> str:
    """Name the proof for inputs that do not settle: unordered, or a parent whose claims do not add up."""
    match error:
        case TooManyPoolsError():
            return "BadClaim"
        case TreeError():
            return "BadOrder"
    return "BadClaim"
