"""One epoch from checked sessions to header and bundle. Coordinator and auditor run this same function."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from streamrp2p.allocation import Allocation, Terms, allocate
from streamrp2p.bundle import Bundle
from streamrp2p.claims_tree import ClaimLeaf, add_rewards, claims_tree
from streamrp2p.epoch import NodeSessions, cut
from streamrp2p.errors import SettlementError
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import ZERO_HASH, Address, Hash
from streamrp2p.plain_tree import check_rising
from streamrp2p.records import NodeRow, PoolRow, SignedRejection
from streamrp2p.sum_tree import SumTree, leaf_node
from streamrp2p.typed_data import Domain
from streamrp2p.verify import Checked


@dataclass(frozen=True, slots=True)
class PoolInput:
    """What the chain says of one open pool in the epoch: its terms and all it was ever funded, in base units."""

    pool_id: int
    terms: Terms
    funded: int


@dataclass(frozen=True, slots=True)
class Parent:
    """The epoch before: its header hash, each pool's cumulative spend, and its claims."""

    header_hash: Hash = ZERO_HASH
    cumulative_spend: Mapping[int, int] = field(default_factory=dict)
    claims: tuple[ClaimLeaf, ...] = ()

    @classmethod
    def of(cls, header: EpochHeader, bundle: Bundle) -> "Parent":
        """Read the parent's state from its header and bundle (the caller has checked that they belong together)."""
        spend = {row.pool_id: row.cumulative_spend for row in bundle.pool_rows}
        return cls(header.hash(), spend, bundle.claims)


GENESIS = Parent()
"""The parent of epoch 0."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settled epoch: what goes on chain and what is published."""

    header: EpochHeader
    bundle: Bundle


def settle(
    domain: Domain,
    epoch: int,
    parent: Parent,
    pools: Sequence[PoolInput],
    sessions: Iterable[Checked],
    rejections: Iterable[SignedRejection] = (),
) -> Settlement:
    """Settle one epoch by docs/protocol.md sections 5 and 6. `pools` are all open pools, rising by id.

    Raises SettlementError for a session of a pool that is not among them and for what `allocate` and `add_rewards`
    refuse, TreeError for unordered pools or equal sessions.
    """
    check_rising([pool.pool_id for pool in pools], "pool")
    by_pool = cut(sessions)
    unknown = by_pool.keys() - {pool.pool_id for pool in pools}
    if unknown:
        raise SettlementError(
            f"sessions name pools that are not open in epoch {epoch}: {sorted(unknown)}"
        )

    pool_rows: list[PoolRow] = []
    node_rows: list[NodeRow] = []
    records: list[bytes] = []
    rewards: dict[tuple[Address, int], int] = {}
    for pool in pools:
        nodes = by_pool.get(pool.pool_id, ())
        previous = parent.cumulative_spend.get(pool.pool_id, 0)
        allocation = allocate([node.weight for node in nodes], pool.terms, pool.funded, previous)
        own_rows = []
        for node, reward in zip(nodes, allocation.rewards, strict=True):
            encoded = [session.record.encode() for session in node.sessions]
            own_rows.append(_node_row(node, encoded, reward))
            records += encoded
            rewards[node.node, pool.pool_id] = reward
        node_rows += own_rows
        pool_rows.append(_pool_row(pool.pool_id, own_rows, allocation))

    claims = add_rewards(parent.claims, rewards)
    bundle = Bundle(
        domain.chain_id,
        domain.epoch_book,
        epoch,
        parent.header_hash,
        tuple(pool_rows),
        tuple(node_rows),
        tuple(records),
        claims,
        tuple(sorted(set(rejections))),
    )
    return Settlement(header_of(bundle), bundle)


def header_of(bundle: Bundle) -> EpochHeader:
    """Return the header that commits to a bundle's pool rows, claims and bytes."""
    pools = pools_tree(bundle.pool_rows)
    claims = claims_tree(bundle.claims)
    return EpochHeader(
        epoch=bundle.epoch,
        parent=bundle.parent,
        pools_root=pools.top.hash,
        pool_count=pools.count,
        weight=pools.top.sum,
        claims_root=claims.root,
        claim_count=claims.count,
        data_hash=bundle.data_hash(),
    )


def pools_tree(rows: Sequence[PoolRow]) -> SumTree:
    """Build the epoch's pools tree over rows in rising order of pool."""
    return SumTree([leaf_node(row.digest(), row.weight) for row in rows])


def nodes_tree(rows: Sequence[NodeRow]) -> SumTree:
    """Build one pool's nodes tree over rows in rising order of node."""
    return SumTree([leaf_node(row.digest(), row.weight) for row in rows])


def sessions_tree(records: Sequence[bytes], weights: Sequence[int]) -> SumTree:
    """Build one node's sessions tree over 274-byte records in rising order of session id."""
    return SumTree(
        [leaf_node(keccak(record), weight) for record, weight in zip(records, weights, strict=True)]
    )


def _node_row(node: NodeSessions, records: Sequence[bytes], reward: int) -> NodeRow:
    check_rising([session.session_id for session in node.sessions], "session")
    tree = sessions_tree(records, [session.weight for session in node.sessions])
    return NodeRow(node.node, tree.top.hash, tree.count, tree.top.sum, reward)


def _pool_row(pool_id: int, rows: Sequence[NodeRow], allocation: Allocation) -> PoolRow:
    tree = nodes_tree(rows)
    return PoolRow(
        pool_id,
        tree.top.hash,
        tree.count,
        tree.top.sum,
        allocation.spend,
        allocation.cumulative_spend,
    )
