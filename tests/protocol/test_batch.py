"""Batches are signed as the protocol says, and only the poster's whole and true answer is believed."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p import api
from streamrp2p.batch import batch_root, judge, make_batch, records_of, split
from streamrp2p.errors import AnswerError, MalformedError
from streamrp2p.numbers import ZERO_HASH
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import check_signer
from tests.node.fakes import (
    DOMAIN,
    NODE,
    NODE_KEY,
    OTHER_KEY,
    POSTER,
    make_answer,
    make_record,
    make_ticket,
)


def some_records(count: int) -> list[SessionRecord]:
    return [make_record(*make_ticket(nonce=nonce), 1, 1000 + nonce) for nonce in range(count)]


RECORDS = some_records(5)


def batch_of(records: list[SessionRecord]) -> api.Batch:
    return make_batch(records, epoch=0, batch_number=4, node=NODE, key=NODE_KEY, domain=DOMAIN)


BATCH = batch_of(RECORDS[:3])


def test_a_batch_is_signed_by_the_node_over_the_root_of_its_records() -> None:
    message = BATCH.submission.message()
    check_signer(message.digest(DOMAIN), BATCH.signature, NODE, "the node")
    assert message.count == 3
    assert message.batch_root == batch_root([record.encode() for record in RECORDS[:3]])
    assert records_of(BATCH) == RECORDS[:3]


def test_the_same_batch_is_made_of_the_same_bytes() -> None:
    assert batch_of(RECORDS).model_dump_json() == batch_of(RECORDS).model_dump_json()


def test_a_part_of_a_record_is_no_batch() -> None:
    with pytest.raises(MalformedError, match="no whole number"):
        records_of(BATCH.model_copy(update={"records": bytes(275)}))


@given(st.sets(st.integers(0, 4)))
def test_each_record_is_either_acknowledged_or_rejected(rejected: set[int]) -> None:
    batch = batch_of(RECORDS)
    refused = {RECORDS[index].session_id for index in rejected}
    answer = make_answer(batch, lambda record: 9 if record.session_id in refused else None)
    judgement = judge(batch, answer, poster=POSTER, domain=DOMAIN)
    assert [record for record in RECORDS if record.session_id not in refused] == list(
        judgement.accepted
    )
    assert [(record.session_id, said.code) for record, said in judgement.rejected] == [
        (record.session_id, 9) for record in RECORDS if record.session_id in refused
    ]
    assert split(batch, answer) == judgement


def test_a_batch_of_which_nothing_is_accepted_has_the_empty_root() -> None:
    answer = make_answer(BATCH, lambda _: 9)
    assert answer.ack.accepted_root == ZERO_HASH
    assert judge(BATCH, answer, poster=POSTER, domain=DOMAIN).accepted == ()


def first_rejected(record: SessionRecord) -> int | None:
    return 9 if record == RECORDS[0] else None


def altered(field: str, value: object) -> Callable[[api.BatchAnswer], api.BatchAnswer]:
    return lambda answer: answer.model_copy(
        update={"ack": answer.ack.model_copy(update={field: value})}
    )


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (altered("batch_number", 5), "acknowledged batch 5"),
        (altered("epoch", 1), "of epoch 1"),
        (altered("node", bytes(20)), "acknowledged batch"),
        (altered("received_at", 0), "acknowledgement is not the poster's"),
        (altered("accepted", 3), "acknowledgement is not the poster's"),
        (altered("accepted_root", bytes(32)), "acknowledgement is not the poster's"),
        (lambda answer: answer.model_copy(update={"rejections": []}), "did not reject 3"),
        (
            lambda answer: answer.model_copy(update={"rejections": answer.rejections * 2}),
            "or twice",
        ),
        (
            lambda answer: answer.model_copy(update={"signature": bytes(65)}),
            "acknowledgement is not the poster's",
        ),
    ],
)
def test_an_answer_that_was_altered_is_not_believed(
    alter: Callable[[api.BatchAnswer], api.BatchAnswer], message: str
) -> None:
    answer = make_answer(BATCH, first_rejected)
    with pytest.raises(AnswerError, match=message):
        judge(BATCH, alter(answer), poster=POSTER, domain=DOMAIN)


def test_an_answer_of_another_key_is_not_believed() -> None:
    with pytest.raises(AnswerError, match="expected the poster"):
        judge(BATCH, make_answer(BATCH, key=OTHER_KEY), poster=POSTER, domain=DOMAIN)


def test_a_rejection_by_another_key_is_not_believed() -> None:
    answer = make_answer(BATCH, first_rejected)
    forged = make_answer(BATCH, first_rejected, key=OTHER_KEY).rejections
    with pytest.raises(AnswerError, match="rejection is not the poster's"):
        judge(
            BATCH,
            answer.model_copy(update={"rejections": forged}),
            poster=POSTER,
            domain=DOMAIN,
        )


def test_a_rejection_of_a_record_that_was_not_sent_is_not_believed() -> None:
    other = batch_of(RECORDS[3:])
    answer = make_answer(BATCH)
    strange = make_answer(other, lambda _: 9).rejections
    with pytest.raises(AnswerError, match="not in the batch"):
        judge(
            BATCH,
            answer.model_copy(update={"rejections": strange}),
            poster=POSTER,
            domain=DOMAIN,
        )


def test_a_root_over_other_records_is_not_believed_even_if_the_poster_signs_it() -> None:
    other = [*RECORDS[:2], replace(RECORDS[2], receipt_signature=RECORDS[3].receipt_signature)]
    answer = make_answer(batch_of(other))
    with pytest.raises(AnswerError, match="acknowledged root"):
        judge(BATCH, answer, poster=POSTER, domain=DOMAIN)
