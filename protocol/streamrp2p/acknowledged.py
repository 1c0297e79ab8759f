"""A record with the poster's promise to pay it. Source: docs/protocol.md sections 3 and 8, Omission; pure."""

from dataclasses import dataclass

from streamrp2p import api
from streamrp2p.batch import judge
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.plain_tree import PlainTree
from streamrp2p.receipt import SessionRecord, batch_leaf
from streamrp2p.typed_data import BatchAck, Domain


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One of the accepted records of a batch: `path` leads from its leaf at `index` to the root that `ack` names.

    `signature` is the poster's of `ack`.
    """

    ack: BatchAck
    signature: Signature
    record: SessionRecord
    index: int
    path: tuple[Hash, ...]


def acknowledged_of(
    batch: api.Batch, answer: api.BatchAnswer, *, poster: Address, domain: Domain
) -> list[Acknowledged]:
    """Check an answer as `judge` does and return what it promises to pay, in the order of the batch.

    A record of another node or epoch than the acknowledgement's is left out: nobody is bound by it. Raises AnswerError
    when the answer does not hold, MalformedError when the batch is no whole number of records.
    """
    accepted = judge(batch, answer, poster=poster, domain=domain).accepted
    ack = answer.ack.message()
    tree = PlainTree([batch_leaf(record.encode()) for record in accepted])
    return [
        Acknowledged(ack, Signature(answer.signature), record, index, tree.path(index))
        for index, record in enumerate(accepted)
        if (record.ticket.node, record.ticket.epoch) == (ack.node, ack.epoch)
    ]
