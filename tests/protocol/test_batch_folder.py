from pathlib import Path

import pytest

from streamrp2p import api
from streamrp2p.allocation import Terms
from streamrp2p.batch_folder import acknowledged_records
from streamrp2p.errors import EvidenceError, OtherPosterError
from streamrp2p.numbers import Hash
from streamrp2p.plain_tree import root_of_path
from streamrp2p.receipt import SessionRecord, batch_leaf
from streamrp2p.settlement import PoolInput
from streamrp2p.signatures import address_of
from tests.support.epochs import (
    DOMAIN,
    POSTER,
    TICKET_KEY,
    signed_record,
)
from tests.support.evidence import store
from tests.support.sessions import known_key

RECORDS = [signed_record(3, 1, 0, 0, (1000, 1000), nonce) for nonce in range(4)]
POOLS = [PoolInput(1, Terms(1, 1, address_of(TICKET_KEY)), 1)]


def read(folder: Path, epoch: int = 3) -> list[SessionRecord]:
    return [one.record for one in acknowledged_records(folder, epoch, DOMAIN, POSTER)]


def test_what_was_not_rejected_was_acknowledged(tmp_path: Path) -> None:
    store(tmp_path, RECORDS[:3], RECORDS[1:2])
    store(tmp_path, RECORDS[3:], number=2)
    (tmp_path / "3" / "3.batch.json").write_text("not answered yet")
    assert read(tmp_path) == [RECORDS[0], RECORDS[2], RECORDS[3]]
    assert read(tmp_path, epoch=4) == []


def test_another_folder_is_said_to_be(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(
            EvidenceError, match="name the folder in which a node keeps its batches"
        ):
            read(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"root": Hash(b"\1" * 32)}, "the acknowledged root is not that of the records"),
        ({"epoch": 2}, r"1\.answer\.json is of epoch 2"),
    ],
)
def test_an_answer_to_other_records_is_no_evidence(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    store(tmp_path, RECORDS, **changes)  # type: ignore[arg-type]
    with pytest.raises(EvidenceError, match=reason):
        read(tmp_path)


def test_an_answer_that_another_key_signed_binds_another_poster(tmp_path: Path) -> None:
    former = known_key(99)
    store(tmp_path, RECORDS, poster_key=former)
    with pytest.raises(OtherPosterError, match="binds another poster") as caught:
        read(tmp_path)
    assert caught.value.signer == address_of(former)


def test_each_record_stands_where_its_path_says(tmp_path: Path) -> None:
    store(tmp_path, RECORDS, RECORDS[1:2])
    found = acknowledged_records(tmp_path, 3, DOMAIN, POSTER)
    assert [one.index for one in found] == [0, 1, 2]
    for one in found:
        leaf = batch_leaf(one.record.encode())
        assert root_of_path(leaf, one.index, 3, one.path) == one.ack.accepted_root


def test_nobody_is_bound_by_a_record_of_another_node_or_epoch(tmp_path: Path) -> None:
    other_node = signed_record(3, 1, 1, 0, (1000, 1000), 7)
    other_epoch = signed_record(4, 1, 0, 0, (1000, 1000), 7)
    store(tmp_path, [RECORDS[0], other_node, other_epoch, RECORDS[1]])
    found = acknowledged_records(tmp_path, 3, DOMAIN, POSTER)
    assert [(one.record, one.index) for one in found] == [(RECORDS[0], 0), (RECORDS[1], 3)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("1.answer.json", "{}"),
        ("1.answer.json", "\0"),
        ("1.batch.json", "[]"),
        ("1.batch.json", None),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: str | None) -> None:
    store(tmp_path, RECORDS)
    file = tmp_path / "3" / name
    file.unlink() if content is None else file.write_text(content)
    with pytest.raises(EvidenceError, match=name):
        read(tmp_path)


def test_records_of_broken_length_are_named(tmp_path: Path) -> None:
    store(tmp_path, RECORDS)
    file = tmp_path / "3" / "1.batch.json"
    batch = api.Batch.model_validate_json(file.read_text())
    broken = batch.model_copy(update={"records": batch.records[:-1]})
    file.write_text(broken.model_dump_json(by_alias=True))
    with pytest.raises(EvidenceError, match="no whole number of records"):
        read(tmp_path)
