"""Omission: acknowledged records that are absent, or present with a lower sequence."""

from collections.abc import Iterator
from typing import Any

from streamrp2p.claim import header_words
from streamrp2p.errors import StreamrP2PError
from streamrp2p.fraud.evidence import Acknowledged, Evidence, Fraud
from streamrp2p.fraud.trees import Trees
from streamrp2p.fraud.view import Leaf
from streamrp2p.fraud.words import leaf_words
from streamrp2p.omission import compared
from streamrp2p.plain_tree import root_of_path
from streamrp2p.receipt import SessionRecord, batch_leaf
from streamrp2p.signatures import recover


def omissions(trees: Trees) -> Iterator[Fraud]:
    """Yield each record that the header's poster acknowledged and left out or lowered, where the trees show it."""
    for acknowledged in trees.evidence.acknowledged:
        shown = _shown(trees, acknowledged) if is_bound(trees.evidence, acknowledged) else None
        if shown is None:
            continue
        above, leaves, found = shown
        left_out = compared(acknowledged.record, found)
        if left_out is not None:
            words = _words(acknowledged)
            arguments = (header_words(trees.header), words, leaf_words(above), leaf_words(leaves))
            yield Fraud("Omission", "omission", arguments, left_out.difference())


def is_bound(evidence: Evidence, acknowledged: Acknowledged) -> bool:
    """Tell whether the header's poster promised that this record is in this epoch."""
    ack, record = acknowledged.ack, acknowledged.record
    if not ack.epoch == evidence.header.epoch == record.ticket.epoch:
        return False
    if ack.node != record.ticket.node:
        return False
    try:
        leaf = batch_leaf(record.encode())
        root = root_of_path(leaf, acknowledged.index, ack.accepted, acknowledged.path)
        signer = recover(ack.digest(evidence.domain), acknowledged.signature)
    except StreamrP2PError:
        return False
    return root == ack.accepted_root and signer == evidence.poster


_Leaves = tuple[Leaf[Any], ...]


def _shown(
    trees: Trees, acknowledged: Acknowledged
) -> tuple[_Leaves, _Leaves, SessionRecord | None] | None:
    """Return the rows above, the leaves that show what stands for the session, and its record, None for none.

    None where it is not known, or the pool has no row: that is a bad pool.
    """
    ticket, session_id = acknowledged.record.ticket, acknowledged.record.session_id
    pool = trees.pools.by_key.get(ticket.pool_id)
    nodes = trees.nodes(pool).shown(ticket.node) if pool else None
    if pool is None or nodes is None:
        return None
    node = next((leaf for leaf in nodes if leaf.row.node == ticket.node), None)
    if node is None:
        return (pool,), nodes, None
    sessions = trees.sessions(pool, node).shown(session_id)
    if sessions is None or not all(leaf.is_sound for leaf in sessions):
        return None
    own = [leaf.row for leaf in sessions if leaf.row.session_id == session_id]
    return (pool, node), sessions, own[0] if own else None


def _words(acknowledged: Acknowledged) -> tuple[object, ...]:
    ack = acknowledged.ack
    return (
        (ack.node, ack.epoch, ack.batch_number, ack.accepted_root, ack.accepted, ack.received_at),
        acknowledged.signature,
        acknowledged.record.encode(),
        acknowledged.index,
        acknowledged.path,
    )
