"""Batches of session records and what the poster acknowledges of them. Source: docs/protocol.md section 3; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamrp2p import api
from streamrp2p.errors import AnswerError, MalformedError, SignatureError
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.plain_tree import PlainTree
from streamrp2p.receipt import RECORD_LENGTH, SessionRecord, batch_leaf
from streamrp2p.signatures import check_signer, sign
from streamrp2p.typed_data import Domain, ReceiptSubmission, Rejection


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the poster signed of a batch: each record is either acknowledged or rejected."""

    accepted: tuple[SessionRecord, ...]
    rejected: tuple[tuple[SessionRecord, Rejection], ...]


def make_batch(
    records: Sequence[SessionRecord], *, epoch: int, batch_number: int, node: Address, key: bytes, domain: Domain
) -> api.Batch:  # fmt: skip
    """Sign a submission of these records, in this order."""
    encoded = [record.encode() for record in records]
    submission = ReceiptSubmission(node, epoch, batch_number, batch_root(encoded), len(encoded))
    return api.Batch(
        submission=api.ReceiptSubmission(
            node=node,
            epoch=epoch,
            batch_number=batch_number,
            batch_root=submission.batch_root,
            count=len(encoded),
        ),
        signature=sign(submission.digest(domain), key),
        records=b"".join(encoded),
    )


def records_of(batch: api.Batch) -> list[SessionRecord]:
    """Read a batch's records; raises MalformedError when their length is not a multiple of 274."""
    data = batch.records
    if len(data) % RECORD_LENGTH:
        raise MalformedError(f"{len(data)} bytes are no whole number of records")
    return [
        SessionRecord.decode(data[at : at + RECORD_LENGTH])
        for at in range(0, len(data), RECORD_LENGTH)
    ]


def batch_root(records: Sequence[bytes]) -> Hash:
    """Return the plain tree's root over encoded records; 0 for none."""
    return PlainTree([batch_leaf(record) for record in records]).root


def judge(
    batch: api.Batch, answer: api.BatchAnswer, *, poster: Address, domain: Domain
) -> Judgement:
    """Check an answer against the batch and the poster's key.

    Raises AnswerError unless the acknowledgement names this batch, each rejection names a record of it once, both are
    signed by the poster, and the accepted root is that of exactly the records that are not rejected.
    """
    _check_name(batch, answer)
    _check_rejections(records_of(batch), answer, poster, domain)
    judgement = split(batch, answer)
    _check_ack(answer, judgement.accepted, poster, domain)
    return judgement


def split(batch: api.Batch, answer: api.BatchAnswer) -> Judgement:
    """Read a judgement off an answer that `judge` has checked before."""
    rejections = {
        (signed.rejection.session_id, signed.rejection.sequence): signed.rejection.message()
        for signed in answer.rejections
    }
    records = records_of(batch)
    return Judgement(
        tuple(record for record in records if _key(record) not in rejections),
        tuple(
            (record, rejections[_key(record)]) for record in records if _key(record) in rejections
        ),
    )


def _check_name(batch: api.Batch, answer: api.BatchAnswer) -> None:
    asked, got = batch.submission, answer.ack
    wanted = (asked.node, asked.epoch, asked.batch_number)
    if (got.node, got.epoch, got.batch_number) != wanted:
        raise AnswerError(
            f"the coordinator acknowledged batch {got.batch_number} of epoch {got.epoch}, "
            f"sent was batch {asked.batch_number} of epoch {asked.epoch}"
        )


def _check_rejections(
    records: Sequence[SessionRecord], answer: api.BatchAnswer, poster: Address, domain: Domain
) -> None:
    sent = set(map(_key, records))
    for signed in answer.rejections:
        rejection = signed.rejection.message()
        key = (rejection.session_id, rejection.sequence)
        if key not in sent:
            raise AnswerError(
                f"the coordinator rejected a record of session 0x{rejection.session_id.hex()} "
                "that is not in the batch, or twice"
            )
        _check_poster(rejection.digest(domain), signed.signature, poster, "rejection")
        if signed.evidence_signature is not None:
            evidence = signed.evidence_message()
            _check_poster(evidence.digest(domain), signed.evidence_signature, poster, "evidence")
        sent.remove(key)


def _check_ack(
    answer: api.BatchAnswer, accepted: Sequence[SessionRecord], poster: Address, domain: Domain
) -> None:
    _check_poster(answer.ack.message().digest(domain), answer.signature, poster, "acknowledgement")
    if answer.ack.accepted != len(accepted):
        raise AnswerError(
            f"the coordinator acknowledged {answer.ack.accepted} records, "
            f"but did not reject {len(accepted)}"
        )
    if answer.ack.accepted_root != batch_root([record.encode() for record in accepted]):
        raise AnswerError("the acknowledged root is not that of the records not rejected")


def _check_poster(digest: Hash, signature: bytes, poster: Address, what: str) -> None:
    try:
        check_signer(digest, Signature(signature), poster, "the poster")
    except SignatureError as error:
        raise AnswerError(f"the {what} is not the poster's: {error}") from error


def _key(record: SessionRecord) -> tuple[bytes, int]:
    return record.session_id, record.receipt.sequence
