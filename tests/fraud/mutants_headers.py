"""Fields of the header itself, data that is withheld, and records that were acknowledged and left out."""

from collections.abc import Iterator
from dataclasses import replace

from streamrp2p.bundle import Bundle
from streamrp2p.difference import text
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Hash
from streamrp2p.receipt import SessionRecord
from tests.fraud.liar import Plan
from tests.fraud.mutant import STALE, Mutant, clever, plan, promise, silent, variants
from tests.fraud.scene import GB, LAST_EPOCH, NODES, honest, record_of

_ELSEWHERE = keccak(b"a tree that nobody has")


def header_mutants() -> Iterator[Mutant]:
    """Yield them."""
    right = honest(LAST_EPOCH).settled.header
    fields: dict[str, tuple[str, tuple[object, ...]]] = {
        "parent": ("parent", (Hash(right.parent[:28] + bytes(4)), _flipped(right.parent))),
        "poolsRoot": ("pools_root", (_ELSEWHERE, Hash(bytes(32)), right.claims_root)),
        "weight": ("weight", (right.weight + 1, right.weight - 1, 0, 2**128 - 1)),
        "claimsRoot": ("claims_root", (_ELSEWHERE, Hash(bytes(32)), right.pools_root)),
    }
    for shown, (name, values) in fields.items():
        for value in values:
            wrong = plan()
            wrong.header[name] = value
            yield clever(f"header: {shown}", text(value), wrong)
    yield from _withheld()
    yield from _omitted()


def _flipped(parent: Hash) -> Hash:
    return Hash(parent[:31] + bytes([parent[31] ^ 1]))


def _withheld() -> Iterator[Mutant]:
    right = honest(LAST_EPOCH)
    header = right.settled.header
    yield Mutant("withheld", "no bundle, no answers", right, header, None, silent)
    other = honest(LAST_EPOCH - 1).settled.bundle
    yield Mutant("withheld", "another epoch's bundle", right, header, other, silent)
    for name, part in {
        "no pool rows": {"pool_rows": (), "node_rows": (), "session_records": ()},
        "no claims": {"claims": ()},
        "no node rows": {
            "pool_rows": tuple(
                replace(row, node_count=0) for row in right.settled.bundle.pool_rows
            ),
            "node_rows": (),
            "session_records": (),
        },
        "no session records": {
            "node_rows": tuple(
                replace(row, session_count=0) for row in right.settled.bundle.node_rows
            ),
            "session_records": (),
        },
    }.items():
        bundle: Bundle = replace(right.settled.bundle, **part)  # type: ignore[arg-type]
        yield Mutant("withheld in part", name, right, header, bundle, silent)


def _omitted() -> Iterator[Mutant]:
    """Yield sessions that the poster promised to pay, and then left out or paid less for."""
    for pool_id, node, at in (
        (1, 0, 0),
        (1, 0, 9),
        (1, 0, 19),
        (1, 2, 0),
        (4, 5, 0),
        (5, 1, 0),
        (6, 2, 0),
    ):
        wrong = plan()
        sessions = wrong.node(pool_id, NODES[node]).sessions
        left_out = sessions.pop(at)
        where = f"pool {pool_id}, node {node}, session {at}"
        if sessions:
            yield from _promised("omission: session left out", where, wrong, left_out)
        else:
            yield from _promised("omission: empty row left", where, wrong, left_out)
            nodes = wrong.pool(pool_id).nodes
            nodes[:] = [one for one in nodes if one.sessions]
            yield from _promised("omission: node left out", where, wrong, left_out)
    for pool_id, node, nonce in ((1, 0, 0), (6, 2, 32)):
        wrong = plan()
        sessions = wrong.node(pool_id, NODES[node]).sessions
        lowered = next(one for one in sessions if one.ticket.nonce == nonce)
        higher = record_of(
            LAST_EPOCH, (pool_id, node, lowered.receipt.bytes_delivered + GB), nonce, sequence=2
        )
        assert higher.session_id == lowered.session_id
        yield from _promised(
            "omission: session lowered", f"pool {pool_id}, node {node}", wrong, higher
        )
    never_seen = record_of(LAST_EPOCH, (3, 7, GB), 70)
    yield from _promised("omission: node left out", "pool 3, idle", plan(), never_seen)


def _promised(group: str, name: str, wrong: Plan, record: SessionRecord) -> Iterator[Mutant]:
    others = [one for one in honest(LAST_EPOCH).records if one.ticket.node == record.ticket.node]
    accepted = [*(one for one in others if one.session_id != record.session_id), record]
    for mutant in variants(group, name, wrong):
        if not mutant.group.endswith(STALE):
            yield replace(mutant, acknowledged=promise(accepted)[-1:])
