"""What a node keeps as evidence: its batches and the poster's answers, as files."""

from collections.abc import Sequence
from pathlib import Path

from streamrp2p import api
from streamrp2p.numbers import Hash
from streamrp2p.plain_tree import PlainTree
from streamrp2p.receipt import SessionRecord, batch_leaf
from streamrp2p.signatures import sign
from streamrp2p.typed_data import BatchAck, Domain, Rejection
from tests.support.epochs import DOMAIN, POSTER_KEY


def store(
    folder: Path,
    records: Sequence[SessionRecord],
    rejected: Sequence[SessionRecord] = (),
    *,
    number: int = 1,
    epoch: int | None = None,
    domain: Domain = DOMAIN,
    root: Hash | None = None,
    poster_key: bytes = POSTER_KEY,
) -> None:
    """Write what a node keeps of a batch: the node's own signature is not evidence, so it is of zeros."""
    epoch = records[0].ticket.epoch if epoch is None else epoch
    accepted = [record for record in records if record not in rejected]
    accepted_root = root or PlainTree([batch_leaf(record.encode()) for record in accepted]).root
    ack = BatchAck(records[0].ticket.node, epoch, number, accepted_root, len(accepted), 99)
    refusals = [Rejection(one.session_id, one.receipt.sequence, 9, 99) for one in rejected]
    batch = api.Batch(
        submission=api.ReceiptSubmission(
            node=records[0].ticket.node,
            epoch=epoch,
            batch_number=number,
            batch_root=bytes(32),
            count=len(records),
        ),
        signature=bytes(65),
        records=b"".join(record.encode() for record in records),
    )
    answer = api.BatchAnswer(
        ack=api.BatchAck(
            node=ack.node,
            epoch=ack.epoch,
            batch_number=ack.batch_number,
            accepted_root=ack.accepted_root,
            accepted=ack.accepted,
            received_at=ack.received_at,
        ),
        signature=sign(ack.digest(domain), poster_key),
        rejections=[
            api.SignedRejection(
                rejection=api.Rejection(
                    session_id=one.session_id,
                    sequence=one.sequence,
                    code=one.code,
                    received_at=one.received_at,
                ),
                signature=sign(one.digest(domain), poster_key),
                reason="too fast",
            )
            for one in refusals
        ],
    )
    own = folder / str(records[0].ticket.epoch)
    own.mkdir(parents=True, exist_ok=True)
    (own / f"{number}.batch.json").write_text(batch.model_dump_json(by_alias=True))
    (own / f"{number}.answer.json").write_text(answer.model_dump_json(by_alias=True))
