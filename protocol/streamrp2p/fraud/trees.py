"""The trees of a header and of its parent, each seen once and not before it is asked for."""

from collections.abc import Iterator
from functools import cached_property

from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.difference import text
from streamrp2p.fraud.evidence import Evidence, Published
from streamrp2p.fraud.kinds import CLAIMS, NODES, POOLS, SESSIONS
from streamrp2p.fraud.view import Leaf, View, view_of
from streamrp2p.header import EpochHeader
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import NodeRow, PoolRow
from streamrp2p.sum_tree import SumNode

PoolLeaf = Leaf[PoolRow]
NodeLeaf = Leaf[NodeRow]


class Trees:
    """What is known of every tree of the header that the evidence is about."""

    def __init__(self, evidence: Evidence, published: Published) -> None:
        """Take what is known; nothing is computed yet."""
        self.evidence = evidence
        self.header = evidence.header
        self.inputs = {pool.pool_id: pool for pool in evidence.pools}
        self._answers = published.answers
        self._nodes: dict[int, View[NodeRow]] = {}

    @cached_property
    def parent(self) -> EpochHeader | None:
        """The header before, if it is what the header names in the 28 bytes that the chain compares."""
        parent = self.evidence.parent_header
        if parent is None or parent.hash()[:28] != self.header.parent[:28]:
            return None
        return parent

    @cached_property
    def pools(self) -> View[PoolRow]:
        """The pools tree."""
        bundle = self.evidence.bundle
        return self._pools_of(self.header, bundle.pool_rows if bundle else (), "pools")

    @cached_property
    def claims(self) -> View[ClaimLeaf]:
        """The claims tree."""
        bundle = self.evidence.bundle
        return self._claims_of(self.header, bundle.claims if bundle else (), "claims")

    @cached_property
    def parent_pools(self) -> View[PoolRow] | None:
        """The parent's pools tree; None without a parent."""
        bundle = self.evidence.parent_bundle
        rows = bundle.pool_rows if bundle else ()
        return self._pools_of(self.parent, rows, "parent's pools") if self.parent else None

    @cached_property
    def parent_claims(self) -> View[ClaimLeaf] | None:
        """The parent's claims tree; None without a parent."""
        bundle = self.evidence.parent_bundle
        claims = bundle.claims if bundle else ()
        return self._claims_of(self.parent, claims, "parent's claims") if self.parent else None

    def nodes(self, pool: PoolLeaf) -> View[NodeRow]:
        """Return a pool's nodes tree."""
        if pool.index not in self._nodes:
            row = pool.row
            self._nodes[pool.index] = view_of(
                NODES,
                f"nodes of pool {row.pool_id}",
                SumNode(row.nodes_root, row.weight),
                row.node_count,
                self._node_rows_of(row),
                (pool.words(),),
                self._answers,
            )
        return self._nodes[pool.index]

    def sessions(self, pool: PoolLeaf, node: NodeLeaf) -> View[SessionRecord]:
        """Return a node's sessions tree. It is not kept: an epoch has millions."""
        row = node.row
        start, end = self._sessions_at.get(
            (pool.row.pool_id, node.record),
            self._sessions_at.get((pool.row.pool_id, row.node), (0, 0)),
        )
        bundle = self.evidence.bundle
        records = bundle.session_records[start:end] if bundle else ()
        return view_of(
            SESSIONS,
            f"sessions of pool {pool.row.pool_id}, node {text(row.node)}",
            SumNode(row.sessions_root, row.weight),
            row.session_count,
            tuple(map(SessionRecord.decode, records)),
            (pool.words(), node.words()),
            self._answers,
        )

    def by_pool(self) -> Iterator[tuple[PoolLeaf, View[NodeRow]]]:
        """Yield each known pool's row with its nodes tree."""
        for pool in self.pools.leaves:
            yield pool, self.nodes(pool)

    def by_node(self) -> Iterator[tuple[PoolLeaf, NodeLeaf, View[SessionRecord]]]:
        """Yield each known node's row with its pool's and its sessions tree."""
        for pool, nodes in self.by_pool():
            for node in nodes.leaves:
                yield pool, node, self.sessions(pool, node)

    def _pools_of(
        self, header: EpochHeader, rows: tuple[PoolRow, ...], where: str
    ) -> View[PoolRow]:
        top = SumNode(header.pools_root, header.weight)
        return view_of(POOLS, where, top, header.pool_count, rows, (), self._answers)

    def _claims_of(
        self, header: EpochHeader, claims: tuple[ClaimLeaf, ...], where: str
    ) -> View[ClaimLeaf]:
        top = SumNode(header.claims_root, 0)
        return view_of(CLAIMS, where, top, header.claim_count, claims, (), self._answers)

    def _node_rows_of(self, row: PoolRow) -> tuple[NodeRow, ...]:
        bundle = self.evidence.bundle
        if bundle is None:
            return ()
        start, end = self._nodes_at.get(row, self._nodes_at.get(row.pool_id, (0, 0)))
        return bundle.node_rows[start:end]

    @cached_property
    def _nodes_at(self) -> dict[PoolRow | int, tuple[int, int]]:
        """Where the bundle has a pool's node rows: those of exactly this row or else of its pool."""
        found: dict[PoolRow | int, tuple[int, int]] = {}
        start = 0
        for row in self.evidence.bundle.pool_rows if self.evidence.bundle else ():
            end = start + row.node_count
            found.setdefault(row, (start, end))
            found.setdefault(row.pool_id, (start, end))
            start = end
        return found

    @cached_property
    def _sessions_at(self) -> dict[tuple[int, bytes], tuple[int, int]]:
        """The same for a node's session records, by pool with the node's encoded row or its address."""
        found: dict[tuple[int, bytes], tuple[int, int]] = {}
        start = 0
        for pool, rows in self.evidence.bundle.by_pool() if self.evidence.bundle else ():
            for row in rows:
                end = start + row.session_count
                found.setdefault((pool.pool_id, row.encode()), (start, end))
                found.setdefault((pool.pool_id, row.node), (start, end))
                start = end
        return found
