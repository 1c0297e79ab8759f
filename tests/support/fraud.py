"""A pure epoch with a parent, and what the public has of it when its poster lies."""

from collections.abc import Sequence
from dataclasses import replace

from streamrp2p.allocation import Terms
from streamrp2p.batch import batch_root
from streamrp2p.bundle import Bundle
from streamrp2p.fraud import Acknowledged, Demand, Evidence, Fraud, acknowledged_of
from streamrp2p.header import EpochHeader
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import (
    GENESIS,
    Parent,
    PoolInput,
    header_of,
    nodes_tree,
    sessions_tree,
    settle,
)
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import BatchAck
from streamrp2p.verify import Checked
from tests.support.epochs import DOMAIN, POSTER, POSTER_KEY, TICKET_KEY, signed_record

GB = 10**9
TERMS = Terms(10, 1000, address_of(TICKET_KEY))
POOLS = (PoolInput(1, TERMS, 10**6), PoolInput(2, TERMS, 10**6), PoolInput(5, TERMS, 10**6))
SHAPES = ((1, 0, 6), (1, 1, 3), (1, 0, 2), (1, 2, 4), (1, 0, 7), (2, 2, 5))
"""`(pool, node, gigabytes)` of each session; pool 5 is idle."""
RECORDS = tuple(
    signed_record(1, pool_id, node, 0, (weight * GB, weight * GB), nonce)
    for nonce, (pool_id, node, weight) in enumerate(SHAPES)
)
FIRST = settle(DOMAIN, 0, GENESIS, POOLS[:2], [Checked(signed_record(0, 1, 3, 1, (GB, GB), 0))])
HONEST = settle(
    DOMAIN, 1, Parent.of(FIRST.header, FIRST.bundle), POOLS, [Checked(one) for one in RECORDS]
)


def evidence_of(
    bundle: Bundle | None,
    header: EpochHeader | None = None,
    *,
    pools: tuple[PoolInput, ...] = POOLS,
    acknowledged: tuple[Acknowledged, ...] = (),
) -> Evidence:
    """Return what the public has: the bundle, and the header that a liar made for it unless another is given."""
    if header is None:
        assert bundle is not None
        header = header_of(bundle)
    return Evidence(DOMAIN, header, POSTER, pools, bundle, FIRST.header, FIRST.bundle, acknowledged)


def refitted(bundle: Bundle) -> Bundle:
    """Return the bundle with the roots, counts and sums of all rows made to fit what is below them."""
    nodes = []
    for _, row, records in bundle.by_node():
        weights = [SessionRecord.decode(record).weight for record in records]
        top = sessions_tree(records, weights).top
        nodes.append(replace(row, sessions_root=top.hash, weight=top.sum))
    bundle = replace(bundle, node_rows=tuple(nodes))
    pools = []
    for pool, own in bundle.by_pool():
        top = nodes_tree(own).top
        pools.append(replace(pool, nodes_root=top.hash, weight=top.sum))
    return replace(bundle, pool_rows=tuple(pools))


def promise(*records: SessionRecord, epoch: int = 1) -> tuple[Acknowledged, ...]:
    """Return the poster's acknowledgement of records of one node."""
    root = batch_root([record.encode() for record in records])
    ack = BatchAck(records[0].ticket.node, epoch, 1, root, len(records), 99)
    return acknowledged_of(ack, sign(ack.digest(DOMAIN), POSTER_KEY), records)


def names(found: Sequence[Fraud | Demand]) -> list[str]:
    """Return the entry points, in the order found."""
    return [one.function if isinstance(one, Fraud) else "demand" for one in found]
