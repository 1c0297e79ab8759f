"""Epochs with trees of several levels, and a demand for every part of them."""

from collections.abc import Iterator

from streamrp2p.allocation import Terms
from streamrp2p.difference import Difference
from streamrp2p.fraud.evidence import Chunk, Demand, RecordLeaf, Tree
from streamrp2p.merkle import depth_of
from streamrp2p.numbers import Address, Hash
from streamrp2p.settlement import GENESIS, PoolInput, Settlement, nodes_tree, pools_tree, settle
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain
from streamrp2p.verify import Checked
from tests.support.sessions import known_key, make_record, make_ticket

REASON = Difference("Withheld", "header", "data_hash", "published", "withheld")
TICKET_KEY, VIEWER_KEY = known_key(1), known_key(2)


def broad_settlement(domain: Domain, *, nodes: int, sessions: int, pools: int = 3) -> Settlement:
    """Settle an epoch in which all nodes are the first pool's: the first has `sessions` sessions, each other one."""
    terms = Terms(10**18, 10**20, address_of(TICKET_KEY))
    inputs = [PoolInput(pool_id, terms, 10**21) for pool_id in range(1, pools + 1)]
    records = []
    for number in range(nodes):
        node = Address((number + 1).to_bytes(20))
        for nonce in range(sessions if number == 0 else 1):
            ticket = make_ticket(node=node, viewer_key=VIEWER_KEY, issued_at=1000, nonce=nonce)
            records.append(
                make_record(
                    ticket,
                    domain=domain,
                    ticket_key=TICKET_KEY,
                    viewer_key=VIEWER_KEY,
                    delivered=1_000_000_000 + 1000 * number + nonce,
                )
            )
    return settle(domain, 0, GENESIS, inputs, map(Checked, records))


def every_demand(settlement: Settlement) -> Iterator[Demand]:
    """Yield a demand for each node of each tree that is not over padding alone, tops first."""
    header, bundle = settlement.header, settlement.bundle
    yield from _of_tree((), Tree.CLAIMS, header.claims_root, 0, header.claim_count)
    yield from _of_tree((), Tree.POOLS, header.pools_root, header.weight, header.pool_count)
    pools = pools_tree(bundle.pool_rows)
    for place, (pool, nodes) in enumerate(bundle.by_pool()):
        above = RecordLeaf(pool.encode(), place, pools.path(place))
        yield from _of_tree((above,), Tree.NODES, pool.nodes_root, pool.weight, pool.node_count)
        own = nodes_tree(nodes)
        for number, node in enumerate(nodes):
            row = RecordLeaf(node.encode(), number, own.path(number))
            yield from _of_tree(
                (above, row), Tree.SESSIONS, node.sessions_root, node.weight, node.session_count
            )


def _of_tree(
    above: tuple[RecordLeaf, ...], tree: Tree, root: Hash, total: int, count: int
) -> Iterator[Demand]:
    if count == 0:
        return
    for level in range(depth_of(count), -1, -1):
        for index in range((count - 1 >> level) + 1):
            yield Demand(above, Chunk(tree, root, total, count, level, index), REASON)
