"""BadSession: session leaves that break a rule of section 3."""

from collections.abc import Iterator

from streamrp2p.claim import header_words
from streamrp2p.difference import Difference, text
from streamrp2p.fraud.evidence import Fraud
from streamrp2p.fraud.trees import NodeLeaf, PoolLeaf, Trees
from streamrp2p.fraud.view import Leaf, View
from streamrp2p.receipt import SessionRecord
from streamrp2p.verify import session_faults


def bad_sessions(
    trees: Trees, pool: PoolLeaf, node: NodeLeaf, sessions: View[SessionRecord]
) -> Iterator[Fraud]:
    """Yield each session of a node that breaks a rule. One of a pool that was not open proves nothing more."""
    if pool.row.pool_id not in trees.inputs:
        return
    for leaf in sessions.leaves:
        fault = next(_faults(trees, pool, node, leaf), None)
        if fault is not None:
            where = f"pool {pool.row.pool_id}, node {text(node.row.node)}, session {text(leaf.row.session_id)}"
            yield Fraud(
                "BadSession",
                "badSession",
                (header_words(trees.header), sessions.above, leaf.words(), leaf.sum),
                Difference("BadSession", where, *fault),
            )


def _faults(
    trees: Trees, pool: PoolLeaf, node: NodeLeaf, leaf: Leaf[SessionRecord]
) -> Iterator[tuple[str, str, str]]:
    if leaf.sum != leaf.row.weight:
        yield "sum", str(leaf.row.weight), str(leaf.sum)
    signer = trees.inputs[pool.row.pool_id].terms.ticket_signer
    domain, epoch = trees.evidence.domain, trees.header.epoch
    yield from session_faults(leaf.row, domain, epoch, pool.row, node.row, signer)
