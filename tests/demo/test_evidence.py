"""What the demo reads from a relay's disk, and what it replays of it."""

from pathlib import Path

from streamrp2p import api
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import address_of, check_signer
from streamrp2p_demo.adversaries.double_submitter import (
    Submitter,
    newest_paid,
    read_report,
    write_report,
)
from streamrp2p_demo.evidence import AnsweredBatch, answered_batches, promises_of
from streamrp2p_demo.facts import Promise
from tests.demo.scenario import DOMAIN, GOOD, RELAY_2, record_of

NODE_KEY = bytes([5]) * 32
SUBMITTER = Submitter(address_of(NODE_KEY), NODE_KEY, DOMAIN)


def batch_of(number: int, *records: SessionRecord) -> api.Batch:
    batch = SUBMITTER.batch_of(records[0], number)
    return batch.model_copy(update={"records": b"".join(record.encode() for record in records)})


def answer_to(batch: api.Batch, *rejected: SessionRecord) -> api.BatchAnswer:
    submission = batch.submission
    ack = api.BatchAck(
        node=submission.node,
        epoch=submission.epoch,
        batch_number=submission.batch_number,
        accepted_root=bytes(32),
        accepted=len(batch.records) // 274 - len(rejected),
        received_at=150,
    )
    rejections = [
        api.SignedRejection(
            rejection=api.Rejection(
                session_id=record.session_id,
                sequence=record.receipt.sequence,
                code=9,
                received_at=150,
            ),
            signature=bytes(65),
            reason="too fast",
        )
        for record in rejected
    ]
    return api.BatchAnswer(ack=ack, signature=bytes(65), rejections=rejections)


def store(folder: Path, batch: api.Batch, answer: api.BatchAnswer | None) -> None:
    epoch = folder / str(batch.submission.epoch)
    epoch.mkdir(parents=True, exist_ok=True)
    number = batch.submission.batch_number
    (epoch / f"{number}.batch.json").write_text(batch.model_dump_json(by_alias=True))
    if answer is not None:
        (epoch / f"{number}.answer.json").write_text(answer.model_dump_json(by_alias=True))


def test_only_answered_batches_are_evidence_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 11):
        batch = batch_of(number, record_of(RELAY_2, number, 1, 100))
        store(tmp_path, batch, None if number == 11 else answer_to(batch))

    numbers = [pair.batch.submission.batch_number for pair in answered_batches(tmp_path)]

    assert numbers == [9, 10]


def test_a_relay_without_a_folder_has_no_evidence(tmp_path: Path) -> None:
    assert answered_batches(tmp_path / "none") == []


def test_the_poster_owes_what_it_acknowledged_unless_rejected_or_worth_nothing() -> None:
    paid, refused = record_of(RELAY_2, 1, 4, 100), record_of(RELAY_2, 2, 7, 10**8)
    worthless = record_of(RELAY_2, 3, 1, 0)
    batch = batch_of(1, paid, refused, worthless)

    promises = promises_of([AnsweredBatch(batch, answer_to(batch, refused))])

    assert promises == [Promise(0, paid.session_id, 4)]


def test_the_newest_record_of_worth_is_replayed() -> None:
    older = batch_of(1, record_of(RELAY_2, 1, 1, 100))
    newest, worthless = record_of(RELAY_2, 2, 1, 200), record_of(RELAY_2, 3, 1, 0)
    newer = batch_of(2, newest, worthless)
    batches = [AnsweredBatch(batch, answer_to(batch)) for batch in (older, newer)]

    found = newest_paid(batches)

    assert found == (batches[1], newest)


def test_nothing_is_replayed_before_anything_was_acknowledged() -> None:
    batch = batch_of(1, record_of(RELAY_2, 1, 1, 100))

    rejected = AnsweredBatch(batch, answer_to(batch, record_of(RELAY_2, 1, 1, 100)))

    assert newest_paid([rejected]) is None


def test_a_replayed_batch_is_signed_by_the_relay_over_its_own_root() -> None:
    batch = SUBMITTER.batch_of(record_of(RELAY_2, 1, 1, 100), 1_000_000)

    message = batch.submission.message()

    check_signer(message.digest(DOMAIN), batch.signature, SUBMITTER.node, "the relay")
    assert (message.batch_number, message.count) == (1_000_000, 1)


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert GOOD.replay is not None
    path = tmp_path / "replay.json"

    write_report(path, GOOD.replay)

    assert read_report(path) == GOOD.replay


def test_a_report_that_was_not_written_is_none(tmp_path: Path) -> None:
    assert read_report(tmp_path / "replay.json") is None
