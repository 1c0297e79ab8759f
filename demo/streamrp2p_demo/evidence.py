"""What a relay keeps on its disk of batches that were acknowledged: the wire forms, as sent and as answered.

Read without the relay's own code, as a third party would: `<epoch>/<number>.batch.json` beside `.answer.json`.
"""

from dataclasses import dataclass
from pathlib import Path

from streamrp2p import api
from streamrp2p.batch import split
from streamrp2p.receipt import SessionRecord
from streamrp2p_demo.facts import Promise

_BATCH_SUFFIX = ".batch.json"


@dataclass(frozen=True, slots=True)
class AnsweredBatch:
    """A batch of a relay and the poster's answer to it."""

    batch: api.Batch
    answer: api.BatchAnswer

    def acknowledged(self) -> tuple[SessionRecord, ...]:
        """Return the records without a rejection, in the order of the batch."""
        return split(self.batch, self.answer).accepted


def answered_batches(folder: Path) -> list[AnsweredBatch]:
    """Return every answered batch that a relay stored below `folder`, oldest epoch and number first."""
    found: list[AnsweredBatch] = []
    for path in folder.rglob("*" + _BATCH_SUFFIX):
        answer = path.with_name(path.name.removesuffix(_BATCH_SUFFIX) + ".answer.json")
        if answer.exists():
            found.append(
                AnsweredBatch(
                    api.Batch.model_validate_json(path.read_bytes()),
                    api.BatchAnswer.model_validate_json(answer.read_bytes()),
                )
            )
    return sorted(
        found,
        key=lambda pair: (pair.batch.submission.epoch, pair.batch.submission.batch_number),
    )


def promises_of(batches: list[AnsweredBatch]) -> list[Promise]:
    """Return what the poster owes for these batches: each acknowledged record of weight above 0."""
    return [
        Promise(record.ticket.epoch, record.session_id, record.receipt.sequence)
        for pair in batches
        for record in pair.acknowledged()
        if record.weight > 0
    ]
