"""A poster that lies in one thing and recomputes everything that follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from streamrp2p.allocation import reward_of, spend_of
from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.claims_tree import ClaimLeaf, add_rewards
from streamrp2p.errors import MalformedError
from streamrp2p.fraud import LEAF_LEVELS, Answer, Chunk, nodes_level_of
from streamrp2p.fraud.answers import ProvenAnswer
from streamrp2p.fraud.kinds import CLAIMS, NODES, POOLS, SESSIONS, Kind
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.merkle import depth_of
from streamrp2p.numbers import Address, Hash
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import NodeRow, PoolRow
from streamrp2p.sum_tree import EMPTY_LEAF, SumNode
from tests.fraud.scene import DOMAIN, Epoch

SUMS = 1 << 128
Stated = dict[tuple[int, int], Callable[[SumNode], SumNode]]
"""Nodes by level and index as their parent has them, made from what they are."""


class LiarTree:
    """A tree in which any node may be stated as something else; what is above follows, sums cut to 128 bits."""

    def __init__(
        self, kind: Kind[Any], rows: Sequence[Any], sums: dict[int, int], stated: Stated
    ) -> None:
        self.kind = kind
        self.rows = tuple(rows)
        self.count = len(rows)
        self.levels = [self._leaves(sums)]
        self._state(0, stated)
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            self.levels.append(list(map(self._parent, below[0::2], below[1::2])))
            self._state(len(self.levels) - 1, stated)

    @property
    def top(self) -> SumNode:
        return self.levels[-1][0]

    def answer(self, chunk: Chunk) -> ProvenAnswer | None:
        """Return the liar's best try, None where the chunk is no part of this tree."""
        if chunk.level >= len(self.levels) or len(self.levels) != depth_of(chunk.count) + 1:
            return None
        first = chunk.index << chunk.level
        answer: Answer = self.rows[first : min(first + (1 << chunk.level), chunk.count)]
        if self.kind is not CLAIMS:
            answer = tuple(map(self.kind.encode, answer))
        if chunk.level > LEAF_LEVELS:
            level = nodes_level_of(chunk.level)
            width = 1 << (chunk.level - level)
            answer = self._stated(
                self.levels[level][chunk.index * width : (chunk.index + 1) * width]
            )
        path = [
            self.levels[level][chunk.index >> (level - chunk.level) ^ 1]
            for level in range(chunk.level, len(self.levels) - 1)
        ]
        return ProvenAnswer(answer, self._stated(path))

    def _leaves(self, sums: dict[int, int]) -> list[SumNode]:
        leaves = []
        for index, row in enumerate(self.rows):
            weight = sums.get(index, self.kind.weight(row))
            preimage = self.kind.leaf_preimage(self.kind.encode(row), weight)
            leaves.append(SumNode(keccak(preimage), weight))
        return leaves + [EMPTY_LEAF] * ((1 << depth_of(self.count)) - self.count)

    def _state(self, level: int, stated: Stated) -> None:
        for (at, index), change in stated.items():
            if at == level:
                self.levels[level][index] = change(self.levels[level][index])

    def _parent(self, left: SumNode, right: SumNode) -> SumNode:
        return SumNode(keccak(self.kind.inner_preimage(left, right)), (left.sum + right.sum) % SUMS)

    def _stated(self, nodes: Sequence[SumNode]) -> tuple[SumNode, ...] | tuple[Hash, ...]:
        return tuple(node.hash for node in nodes) if self.kind is CLAIMS else tuple(nodes)


@dataclass
class TreeLie:
    """What is wrong in a tree itself: sums within leaves, nodes that are stated as others."""

    sums: dict[int, int] = field(default_factory=dict)
    stated: Stated = field(default_factory=dict)

    def build(self, kind: Kind[Any], rows: Sequence[Any]) -> LiarTree:
        return LiarTree(kind, rows, self.sums, self.stated)


@dataclass
class NodePlan:
    """A node's row to come. `fields` are stated as they are, whatever is below."""

    node: Address
    sessions: list[SessionRecord]
    fields: dict[str, Any] = field(default_factory=dict)
    tree: TreeLie = field(default_factory=TreeLie)


@dataclass
class PoolPlan:
    """A pool's row to come."""

    pool_id: int
    nodes: list[NodePlan]
    fields: dict[str, Any] = field(default_factory=dict)
    tree: TreeLie = field(default_factory=TreeLie)


@dataclass(frozen=True, slots=True)
class Lie:
    """A header, the bundle that fits it if a file can, and the trees to answer demands from."""

    header: EpochHeader
    bundle: Bundle | None
    trees: tuple[LiarTree, ...]

    def answer(self, chunk: Chunk) -> ProvenAnswer | None:
        """Return the liar's answer, None where it has none."""
        for tree in self.trees:
            if (tree.kind.tree, tree.top.hash) == (chunk.tree, chunk.root):
                found = tree.answer(chunk)
                if found is not None:
                    return found
        return None


class Plan:
    """The epoch that a liar is about to settle; every test changes one thing in it."""

    def __init__(self, epoch: Epoch) -> None:
        self.epoch = epoch
        self.pools = [
            PoolPlan(
                row.pool_id,
                [NodePlan(node.node, []) for node in rows],
            )
            for row, rows in epoch.settled.bundle.by_pool()
        ]
        for pool, node, records in epoch.settled.bundle.by_node():
            self.node(pool.pool_id, node.node).sessions = list(map(SessionRecord.decode, records))
        self.tree = TreeLie()
        self.claims_tree = TreeLie()
        self.change_claims: Callable[[list[ClaimLeaf]], list[ClaimLeaf]] = list
        self.header: dict[str, Any] = {}

    def pool(self, pool_id: int) -> PoolPlan:
        return next(pool for pool in self.pools if pool.pool_id == pool_id)

    def node(self, pool_id: int, node: Address) -> NodePlan:
        return next(one for one in self.pool(pool_id).nodes if one.node == node)

    def build(self) -> Lie:
        """Settle it, as the rules say but for the lie."""
        pool_rows, node_rows, records, trees = [], [], [], []
        rewards: dict[tuple[Address, int], int] = {}
        for pool in self.pools:
            row, rows, below = self._pool(pool)
            pool_rows.append(row)
            node_rows += rows
            trees += below
            for node in pool.nodes:
                records += [record.encode() for record in node.sessions]
            for node_row in rows:
                key = node_row.node, row.pool_id
                rewards[key] = rewards.get(key, 0) + node_row.reward
        pools_tree = self.tree.build(POOLS, pool_rows)
        parent = self.epoch.parent_state
        claims = self.change_claims(list(add_rewards(parent.claims, rewards)))
        claims_tree = self.claims_tree.build(CLAIMS, claims)
        bundle = Bundle(
            DOMAIN.chain_id,
            DOMAIN.epoch_book,
            self.epoch.number,
            parent.header_hash,
            tuple(pool_rows),
            tuple(node_rows),
            tuple(records),
            tuple(claims),
        )
        header = EpochHeader(
            self.epoch.number,
            parent.header_hash,
            pools_tree.top.hash,
            pools_tree.count,
            pools_tree.top.sum,
            claims_tree.top.hash,
            claims_tree.count,
            bundle.data_hash(),
        )
        return Lie(
            replace(header, **self.header), readable(bundle), (pools_tree, claims_tree, *trees)
        )

    def _pool(self, pool: PoolPlan) -> tuple[PoolRow, list[NodeRow], list[LiarTree]]:
        rows, trees = [], []
        for node in pool.nodes:
            tree = node.tree.build(SESSIONS, node.sessions)
            trees.append(tree)
            made = NodeRow(node.node, tree.top.hash, tree.count, tree.top.sum, 0)
            rows.append(replace(made, **node.fields))
        weight = pool.fields.get("weight", pool.tree.build(NODES, rows).top.sum)
        known = next((one for one in self.epoch.pools if one.pool_id == pool.pool_id), None)
        previous = self.epoch.parent_state.cumulative_spend.get(pool.pool_id, 0)
        spend = spend_of(weight, known.terms, known.funded, previous) if known else 0
        spend = pool.fields.get("spend", spend)
        rows = [
            replace(
                row, reward=node.fields.get("reward", reward_of(spend, row.weight, weight) % SUMS)
            )
            for row, node in zip(rows, pool.nodes, strict=True)
        ]
        tree = pool.tree.build(NODES, rows)
        made_row = PoolRow(pool.pool_id, tree.top.hash, tree.count, weight, spend, previous + spend)
        return replace(made_row, **pool.fields), rows, [tree, *trees]


def readable(bundle: Bundle) -> Bundle | None:
    """Return the bundle as the public reads it, None where it is no valid file."""
    try:
        return decode_bundle(bundle.encode())
    except MalformedError:
        return None
