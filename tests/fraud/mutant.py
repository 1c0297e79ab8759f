"""A wrong header, with what its poster shows of it and what it would answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from streamrp2p.batch import batch_root
from streamrp2p.bundle import Bundle
from streamrp2p.fraud import Acknowledged, Chunk, Evidence, acknowledged_of
from streamrp2p.fraud.answers import ProvenAnswer
from streamrp2p.header import EpochHeader
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import BatchAck
from tests.fraud.liar import Lie, Plan
from tests.fraud.scene import DOMAIN, LAST_EPOCH, Epoch, honest
from tests.support.chain import POSTER

BEHIND = ", behind another file"
STALE = ", roots not recomputed"

Answers = Callable[[Chunk], ProvenAnswer | None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong header of an epoch. `group` is its row in docs/fraud-proofs.md."""

    group: str
    name: str
    epoch: Epoch
    header: EpochHeader
    published: Bundle | None
    answer: Answers
    acknowledged: tuple[Acknowledged, ...] = ()

    @property
    def is_disguised(self) -> bool:
        """Whether what is published is not what the header's trees are made from."""
        return self.group.endswith((BEHIND, STALE))

    def evidence(self) -> Evidence:
        """Return what the public has."""
        parent = self.epoch.parent
        return Evidence(
            DOMAIN,
            self.header,
            address_of(POSTER),
            self.epoch.pools,
            self.published,
            parent.header if parent else None,
            parent.bundle if parent else None,
            self.acknowledged,
        )


def silent(_: Chunk) -> None:
    """Answer nothing."""
    return


def plan(epoch: int = LAST_EPOCH) -> Plan:
    """Return a plan in which nothing is wrong yet."""
    return Plan(honest(epoch))


def clever(group: str, name: str, wrong: Plan) -> Mutant:
    """Recompute everything above the lie, publish the file that fits, and answer whatever can be answered."""
    lie = wrong.build()
    return Mutant(group, name, wrong.epoch, lie.header, lie.bundle, lie.answer)


def variants(group: str, name: str, wrong: Plan) -> Iterator[Mutant]:
    """Yield the clever lie, the same behind the honest epoch's file, and the changed file under honest roots."""
    lie = wrong.build()
    right = wrong.epoch.settled
    yield Mutant(group, name, wrong.epoch, lie.header, lie.bundle, lie.answer)
    if lie.header != replace(right.header, data_hash=lie.header.data_hash):
        header = replace(lie.header, data_hash=right.header.data_hash)
        yield Mutant(group + BEHIND, name, wrong.epoch, header, right.bundle, lie.answer)
    if lie.bundle is not None and shows_other_leaves(lie, wrong):
        header = replace(right.header, data_hash=lie.header.data_hash)
        yield Mutant(group + STALE, name, wrong.epoch, header, lie.bundle, silent)


def shows_other_leaves(lie: Lie, wrong: Plan) -> bool:
    """Tell whether the lie's file has other leaves than the honest one's."""
    return lie.bundle != wrong.epoch.settled.bundle


def promise(accepted: list[SessionRecord], epoch: int = LAST_EPOCH) -> tuple[Acknowledged, ...]:
    """Return what the poster signed for one batch of records of one node."""
    root = batch_root([record.encode() for record in accepted])
    ack = BatchAck(accepted[0].ticket.node, epoch, 3, root, len(accepted), 99)
    return acknowledged_of(ack, sign(ack.digest(DOMAIN), POSTER), accepted)
