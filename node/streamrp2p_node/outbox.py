"""Batches and their answers on disk: each batch is stored before it is sent, each answer before it is believed.

`<epoch>/<number>.batch.json` is the exact batch, `<epoch>/<number>.answer.json` the poster's checked answer: together
they are the evidence of an acknowledgement. `<number>.refused.json` says why a batch will never be answered.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from streamrp2p import api
from streamrp2p.durable import StorageError, storage_error, sync_folder, write_atomically

_BATCH = re.compile(r"([0-9]{1,19})\.batch\.json")
Model = TypeVar("Model", bound=BaseModel)
BATCH, ANSWER, REFUSED = "batch", "answer", "refused"


class Refusal(BaseModel):
    """Why the coordinator will never take a batch."""

    reason: str


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch with its answer, if it has one."""

    batch: api.Batch
    answer: api.BatchAnswer | None = None
    is_refused: bool = False

    @property
    def is_pending(self) -> bool:
        """Tell whether the batch must still be sent."""
        return self.answer is None and not self.is_refused


class Outbox:
    """The batches of all epochs, below one folder. At most one batch of an epoch is pending at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def epochs(self) -> list[int]:
        """Return the epochs that have batches, rising."""
        if not self._folder.is_dir():
            return []
        return sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdigit())

    def load(self, epoch: int) -> list[StoredBatch]:
        """Return an epoch's batches in the order of their numbers; raises StorageError for a damaged file."""
        return [self.load_one(epoch, number) for number in self.numbers(epoch)]

    def load_one(self, epoch: int, number: int) -> StoredBatch:
        """Return one batch; raises StorageError for a damaged file."""
        answer = self._path(epoch, number, ANSWER)
        return StoredBatch(
            _read(self._path(epoch, number, BATCH), api.Batch),
            _read(answer, api.BatchAnswer) if answer.exists() else None,
            self._path(epoch, number, REFUSED).exists(),
        )

    def numbers(self, epoch: int) -> list[int]:
        """Return the numbers of an epoch's batches, rising."""
        folder = self._folder / str(epoch)
        if not folder.is_dir():
            return []
        found = (_BATCH.fullmatch(path.name) for path in folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def next_number(self, epoch: int) -> int:
        """Return the number of the epoch's next batch; numbers begin at 1 and rise."""
        return max(self.numbers(epoch), default=0) + 1

    def put(self, batch: api.Batch) -> None:
        """Store a new batch durably. From then on its number stands for these bytes."""
        submission = batch.submission
        path = self._path(submission.epoch, submission.batch_number, BATCH)
        _make_folder(path.parent)
        write_atomically(path, _json(batch), mode=0o600, overwrite=False)

    def put_answer(self, batch: api.Batch, answer: api.BatchAnswer) -> None:
        """Store a checked answer durably."""
        submission = batch.submission
        path = self._path(submission.epoch, submission.batch_number, ANSWER)
        write_atomically(path, _json(answer), mode=0o600)

    def put_refusal(self, batch: api.Batch, reason: str) -> None:
        """Note that this batch will never be answered, so that its records go into another one."""
        submission = batch.submission
        path = self._path(submission.epoch, submission.batch_number, REFUSED)
        write_atomically(path, _json(Refusal(reason=reason)), mode=0o600)

    def _path(self, epoch: int, number: int, kind: str) -> Path:
        return self._folder / str(epoch) / f"{number}.{kind}.json"


def _make_folder(folder: Path) -> None:
    """Make an epoch's folder durably: a batch within is not on the disk while its folder may be gone."""
    try:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(folder.parent)
    except OSError as error:
        raise storage_error(folder, error) from error


def _json(model: BaseModel) -> bytes:
    return model.model_dump_json(by_alias=True).encode()


def _read(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise storage_error(path, error) from error
    except ValidationError as error:
        raise StorageError(
            path, "is damaged", "restore it from a backup, or move it away to give up its batch"
        ) from error
