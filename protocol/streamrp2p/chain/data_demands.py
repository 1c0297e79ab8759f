"""`DataDemands`: parts of trees that are demanded, and what was published of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from eth_abi.abi import encode as abi_encode

from streamrp2p.chain.contract import Contract
from streamrp2p.chain.rpc import Block
from streamrp2p.chain.transactions import Call
from streamrp2p.claim import header_words
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.fraud.answers import ProvenAnswer
from streamrp2p.fraud.evidence import (
    LEAF_LEVELS,
    Answer,
    Chunk,
    Demand,
    Published,
    Tree,
)
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash
from streamrp2p.sum_tree import SumNode

DemandState = Literal["open", "answered", "expired", "reclaimed"]

_CHUNK_TYPE = "(uint64,bytes32,uint64,uint8,bytes32,uint128,uint32,uint8,uint32)"
_ANSWERS = ("RecordsPublished", "NodesPublished", "ClaimsPublished", "HashesPublished")
_ENDS: dict[str, DemandState] = {
    **dict.fromkeys(_ANSWERS, "answered"),
    "DemandExpired": "expired",
    "DemandReclaimed": "reclaimed",
}


@dataclass(frozen=True, slots=True)
class DemandRules:
    """What is immutable in the contract: times in seconds, bonds in wei."""

    epoch_book: Address
    response_seconds: int
    demand_bond_wei: int


@dataclass(frozen=True, slots=True)
class CommittedChunk:
    """A chunk of one commit: a header that is committed again owes new answers. `committed_at` in Unix seconds."""

    epoch: int
    header_hash: Hash
    committed_at: int
    chunk: Chunk

    @classmethod
    def of(cls, words: tuple[Any, ...]) -> "CommittedChunk":
        """Read the fields of the ABI struct."""
        epoch, header_hash, committed_at, tree, root, total, count, level, index = words
        chunk = Chunk(Tree(tree), Hash(root), total, count, level, index)
        return cls(epoch, Hash(header_hash), committed_at, chunk)

    def words(self) -> tuple[object, ...]:
        """Return the fields in the order of the ABI struct."""
        chunk = self.chunk
        return (
            self.epoch,
            self.header_hash,
            self.committed_at,
            int(chunk.tree),
            chunk.root,
            chunk.sum,
            chunk.count,
            chunk.level,
            chunk.index,
        )

    def demand_id(self) -> Hash:
        """Return the name of its demand."""
        return keccak(abi_encode([_CHUNK_TYPE], [self.words()]))


@dataclass(frozen=True, slots=True)
class DemandRecord:
    """A demand as the logs tell it: who made it, until when it can be answered (Unix seconds), what became of it.

    `answer` is there once it is answered.
    """

    demand_id: Hash
    demanded: CommittedChunk
    demander: Address
    answer_by: int
    state: DemandState
    answer: Answer | None = None


class DataDemandsContract(Contract):
    """Typed access to one `DataDemands`. Give `from_block` (`Deployment.block`), or logs are searched from block 0."""

    ARTIFACT = "DataDemands"

    @cached_property
    def rules(self) -> DemandRules:
        """All that is immutable; read once."""
        names = ("epochBook", "responseSeconds", "demandBondWei")
        return DemandRules(*self._read_many([(name,) for name in names]))

    def credit_of(self, account: Address, block: Block | None = None) -> int:
        """Return the wei that the account can withdraw."""
        return int(self._read("creditOf", account, block=block))

    def still_open(
        self, demands: Iterable[DemandRecord], block: Block | None = None
    ) -> list[DemandRecord]:
        """Return those that the chain calls open: neither answered, expired nor reclaimed."""
        asked = list(demands)
        found = self._read_many([("demandOf", one.demand_id) for one in asked], block=block)
        return [one for one, (_, answer_by) in zip(asked, found, strict=True) if answer_by]

    def demands(
        self, *, from_block: int | None = None, to_block: int | None = None
    ) -> list[DemandRecord]:
        """Return every demand in the chain's order, with what became of it.

        Searches the blocks from the deployment on. With a later `from_block`, what was demanded before is missing.
        An open demand whose header no longer stands can only be reclaimed: whoever asks compares `committed_at`.
        """
        found: list[DemandRecord] = []
        last: dict[Hash, int] = {}
        events = ("Demanded", *_ENDS)
        for log in self._logs(events, from_block=from_block, to_block=to_block):
            event = self._event(log)
            if event is None:
                continue
            name, fields = event
            demand_id = Hash(fields["demandId"])
            if name == "Demanded":
                last[demand_id] = len(found)
                found.append(_opened(fields))
            elif demand_id in last:
                place = last[demand_id]
                found[place] = _ended(found[place], name, fields)
        return found

    def published(self, header_hash: Hash, committed_at: int) -> Published:
        """Return what demands brought to light of one commit of a header, and what is still owed."""
        return published_of(self.demands(), header_hash, committed_at)

    def demand_call(self, header: EpochHeader, demand: Demand) -> Call:
        """Demand a chunk of a pending header, with the bond; anyone."""
        above = [
            (leaf.record, leaf.place, [tuple(node) for node in leaf.path]) for leaf in demand.above
        ]
        chunk = demand.chunk
        return self._call(
            "demand",
            header_words(header),
            above,
            int(chunk.tree),
            chunk.level,
            chunk.index,
            value=self.rules.demand_bond_wei,
        )

    def publish_call(self, demanded: CommittedChunk, proven: ProvenAnswer) -> Call:
        """Answer an open demand in time; anyone. The bond is the poster's."""
        chunk = demanded.chunk
        is_claims, is_leaves = chunk.tree == Tree.CLAIMS, chunk.level <= LEAF_LEVELS
        function = {
            (False, True): "publishRecords",
            (False, False): "publishNodes",
            (True, True): "publishClaims",
            (True, False): "publishHashes",
        }[is_claims, is_leaves]
        return self._call(
            function, demanded.words(), _abi_values(proven.answer), _abi_values(proven.path)
        )

    def expire_call(self, demanded: CommittedChunk) -> Call:
        """Void the header of a demand that nobody answered in time; anyone, for the demander."""
        return self._call("expire", demanded.words())

    def reclaim_call(self, demanded: CommittedChunk) -> Call:
        """Give the bond back of an open demand whose header no longer stands, or is final; anyone, for the demander."""
        return self._call("reclaim", demanded.words())

    def withdraw_credit_call(self, to: Address) -> Call:
        """Pay the sender's credit out."""
        return self._call("withdrawCredit", to)


def published_of(
    demands: Iterable[DemandRecord], header_hash: Hash, committed_at: int
) -> Published:
    """Return what the demands brought to light of one commit of a header, and what is still owed."""
    own = [
        demand
        for demand in demands
        if (demand.demanded.header_hash, demand.demanded.committed_at)
        == (header_hash, committed_at)
    ]
    answers = {demand.demanded.chunk: demand.answer for demand in own if demand.answer is not None}
    owed = frozenset(demand.demanded.chunk for demand in own if demand.state == "open")
    return Published(answers, owed)


def _opened(fields: dict[str, Any]) -> DemandRecord:
    return DemandRecord(
        Hash(fields["demandId"]),
        CommittedChunk.of(fields["chunk"]),
        fields["demander"],
        fields["answerBy"],
        "open",
    )


def _ended(demand: DemandRecord, name: str, fields: dict[str, Any]) -> DemandRecord:
    return DemandRecord(
        demand.demand_id,
        demand.demanded,
        demand.demander,
        demand.answer_by,
        _ENDS[name],
        _answer(name, fields),
    )


def _answer(name: str, fields: dict[str, Any]) -> Answer | None:
    if name == "RecordsPublished":
        return tuple(fields["records"])
    if name == "NodesPublished":
        return tuple(SumNode(*node) for node in fields["nodes"])
    if name == "ClaimsPublished":
        return tuple(ClaimLeaf(*leaf) for leaf in fields["leaves"])
    if name == "HashesPublished":
        return tuple(map(Hash, fields["hashes"]))
    return None


def _abi_values(values: Iterable[object]) -> list[object]:
    return [_abi_value(value) for value in values]


def _abi_value(value: object) -> object:
    if isinstance(value, ClaimLeaf):
        return (value.account, value.entries)
    return tuple(value) if isinstance(value, SumNode) else value
