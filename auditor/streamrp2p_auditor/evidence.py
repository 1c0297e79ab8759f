"""A node's evidence: the batches it sent and the answers in which the poster acknowledged their records."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from streamrp2p import api
from streamrp2p.batch import batch_root, split
from streamrp2p.errors import MalformedError, SignatureError
from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import check_signer
from streamrp2p.typed_data import Domain
from streamrp2p_auditor.errors import EvidenceError

Model = TypeVar("Model", bound=BaseModel)


def acknowledged_records(
    folder: Path, epoch: int, domain: Domain, poster: Address
) -> list[SessionRecord]:
    """Read `<folder>/<epoch>/<number>.batch.json` with its `.answer.json` and return what the poster acknowledged.

    Batches without an answer are no evidence and are passed over, and so are epochs without batches. Raises
    EvidenceError for what is malformed or not signed by the header's poster.
    """
    records: list[SessionRecord] = []
    for answer_file in _answers(folder, epoch):
        batch_file = answer_file.with_name(answer_file.name.replace(".answer.", ".batch."))
        batch, answer = _read(batch_file, api.Batch), _read(answer_file, api.BatchAnswer)
        accepted = _accepted(batch, answer, batch_file)
        root = batch_root([record.encode() for record in accepted])
        if (answer.ack.epoch, answer.ack.accepted_root) != (epoch, root):
            raise EvidenceError(
                f"{answer_file} does not acknowledge the records of {batch_file.name}"
            )
        try:
            digest = answer.ack.message().digest(domain)
            check_signer(digest, answer.signature, poster, "the header's poster")
        except SignatureError as error:
            raise EvidenceError(f"{answer_file} is no acknowledgement: {error}") from error
        records += accepted
    return records


def _answers(folder: Path, epoch: int) -> list[Path]:
    if not folder.is_dir() or not any(path.name.isdigit() for path in folder.iterdir()):
        raise EvidenceError(
            f"{folder} has no folder of an epoch; name the folder in which a node keeps its batches"
        )
    return sorted((folder / str(epoch)).glob("*.answer.json"))


def _accepted(batch: api.Batch, answer: api.BatchAnswer, file: Path) -> Sequence[SessionRecord]:
    try:
        return split(batch, answer).accepted
    except MalformedError as error:
        raise EvidenceError(f"{file}: {error}") from error


def _read(file: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(file.read_bytes())
    except OSError as error:
        raise EvidenceError(f"{file} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise EvidenceError(f"{file} is malformed at {where}: {first['msg']}") from error
