"""What a demand for data costs, its answer, and its end: in trees of 513 leaves, which have ten levels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks.gas.row import Row
from benchmarks.gas.stage import Cost, GasStage
from streamrp2p.chain.rpc import request
from streamrp2p.claims_tree import ClaimLeaf, entry_word
from streamrp2p.fraud.answers import AnswerBook
from streamrp2p.fraud.evidence import Demand, Tree
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Address
from streamrp2p.settlement import header_of
from streamrp2p.signatures import address_of
from tests.support.chain import POSTER, STRANGER
from tests.support.demands import broad_settlement, every_demand

LEAVES = 513
MOST_POOLS = 256
FIRST_POOL, EARNED = 0x01010101, 2**128 - 1
"""Without a byte that is zero, where call data is cheap: the dearest that there is."""

EIGHT_LEAVES, MOST_NODES = 3, 9
"""Levels whose nodes are answered for with eight leaves, and with 64 nodes."""


@dataclass(frozen=True)
class Scene:
    """A committed header, a demand for each part of it, and the answers."""

    stage: GasStage
    header: EpochHeader
    demands: Sequence[Demand]
    answers: AnswerBook

    def demand(self, tree: Tree, level: int) -> Cost:
        """Demand what is under the first node of a level of the broadest tree of that kind."""
        found = next(
            demand
            for demand in self.demands
            if (demand.chunk.tree, demand.chunk.level, demand.chunk.index) == (tree, level, 0)
            and demand.chunk.count == LEAVES
        )
        return self.stage.send(
            self.stage.chain.data_demands.demand_call(self.header, found), STRANGER
        )

    def answer(self) -> Cost:
        """Answer the newest demand."""
        contract = self.stage.chain.data_demands
        demanded = contract.demands()[-1].demanded
        return self.stage.send(
            contract.publish_call(demanded, self.answers.answer(demanded.chunk)), POSTER
        )


def demands(stage: GasStage) -> Iterator[Row]:
    """Demand parts and answer them, the dearest too, and void the header for one that is not answered."""
    request(stage.chain.web3, "anvil_setBalance", ["0x" + "00" * 20, "0x1"])
    with stage.undone():
        scene = _scene(stage)
        for name, tree, level, answered in (
            ("a claims tree", Tree.CLAIMS, EIGHT_LEAVES, f"8 accounts of {MOST_POOLS} pools each"),
            ("a sessions tree", Tree.SESSIONS, EIGHT_LEAVES, "8 session records"),
            (None, Tree.SESSIONS, 0, "1 session record"),
            (None, Tree.SESSIONS, MOST_NODES, "64 nodes of a sum tree"),
        ):
            with stage.undone():
                cost = scene.demand(tree, level)
                if name is not None:
                    yield Row(f"demand of a part of {name}", cost)
                yield Row(f"answer with {answered}", scene.answer())
        yield from _unanswered(scene)


def _unanswered(scene: Scene) -> Iterator[Row]:
    stage, chain = scene.stage, scene.stage.chain
    scene.demand(Tree.CLAIMS, EIGHT_LEAVES)
    record = chain.data_demands.demands()[-1]
    chain.travel_to(record.answer_by + 1)
    yield Row(
        "expire a demand", stage.send(chain.data_demands.expire_call(record.demanded), STRANGER)
    )
    own = address_of(STRANGER)
    yield Row("withdraw credit", stage.send(chain.epoch_book.withdraw_credit_call(own), STRANGER))


def _scene(stage: GasStage) -> Scene:
    settled = broad_settlement(stage.chain.epoch_book.domain(), nodes=LEAVES, sessions=LEAVES)
    bundle = replace(
        settled.bundle,
        epoch=len(stage.headers),
        parent=stage.headers[-1].hash(),
        claims=tuple(_claim(number) for number in range(LEAVES)),
    )
    header = header_of(bundle)
    stage.commit(header)
    found = [*every_demand(replace(settled, header=header, bundle=bundle))]
    return Scene(stage, header, found, AnswerBook(bundle))


def _claim(number: int) -> ClaimLeaf:
    pools = range(MOST_POOLS if number < 1 << EIGHT_LEAVES else 1)
    entries = tuple(entry_word(FIRST_POOL + pool, EARNED) for pool in pools)
    return ClaimLeaf(Address((number + 1).to_bytes(20)), entries)
