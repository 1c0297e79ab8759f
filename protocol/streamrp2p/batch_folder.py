"""A node's folder of batches as evidence: what it sent, and the answers in which a poster acknowledged it.

`<folder>/<epoch>/<number>.batch.json` is what was sent, `<number>.answer.json` beside it the answer. A batch without an
answer is no evidence and is passed over.
"""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from streamrp2p import api
from streamrp2p.batch import judge
from streamrp2p.errors import (
    AnswerError,
    EvidenceError,
    MalformedError,
    OtherPosterError,
    SignatureError,
)
from streamrp2p.fraud import Acknowledged, acknowledged_of
from streamrp2p.numbers import Address, Signature
from streamrp2p.signatures import recover
from streamrp2p.typed_data import Domain
from streamrp2p.validation import first_fault

Model = TypeVar("Model", bound=BaseModel)


def acknowledged_records(
    folder: Path, epoch: int, domain: Domain, poster: Address
) -> list[Acknowledged]:
    """Return all that the poster acknowledged of an epoch; nothing where the epoch has no batches.

    Raises EvidenceError when this is no folder of batches, and for the first file that is no evidence.
    """
    if not folder.is_dir() or not any(path.name.isdigit() for path in folder.iterdir()):
        raise EvidenceError(
            f"{folder} has no folder of an epoch; name the folder in which a node keeps its batches"
        )
    return [
        acknowledged
        for file in answer_files(folder, epoch)
        for acknowledged in acknowledged_in(file, epoch, domain, poster)
    ]


def answer_files(folder: Path, epoch: int) -> list[Path]:
    """Return an epoch's answers; none where the epoch has no batches."""
    return sorted((folder / str(epoch)).glob("*.answer.json"))


def acknowledged_in(
    answer_file: Path, epoch: int, domain: Domain, poster: Address
) -> list[Acknowledged]:
    """Return what one answer acknowledges, without records of another node or epoch: by those nobody is bound.

    Raises OtherPosterError when another key signed it, EvidenceError when it or its batch is malformed.
    """
    batch_file = answer_file.with_name(answer_file.name.replace(".answer.", ".batch."))
    batch, answer = _read(batch_file, api.Batch), _read(answer_file, api.BatchAnswer)
    if answer.ack.epoch != epoch:
        raise EvidenceError(
            f"{answer_file} is of epoch {answer.ack.epoch}; move it to that epoch's folder"
        )
    ack, signature = answer.ack.message(), Signature(answer.signature)
    try:
        signer = recover(ack.digest(domain), signature)
        if signer != poster:
            raise OtherPosterError(str(answer_file), signer, poster)
        accepted = judge(batch, answer, poster=poster, domain=domain).accepted
    except (AnswerError, MalformedError, SignatureError) as error:
        raise EvidenceError(f"{answer_file} is no acknowledgement: {error}") from error
    return [
        one
        for one in acknowledged_of(ack, signature, accepted)
        if (one.record.ticket.node, one.record.ticket.epoch) == (ack.node, ack.epoch)
    ]


def _read(file: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(file.read_bytes())
    except OSError as error:
        raise EvidenceError(f"{file} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        where, fault = first_fault(error, "the file")
        raise EvidenceError(f"{file} is malformed at {where}: {fault}") from error
