"""A relay that hands in a receipt twice: with its own key, in a second batch, once the first was acknowledged.

Then it sends the very same batch again, as a relay does that lost the answer.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from streamrp2p import api
from streamrp2p.batch import make_batch
from streamrp2p.client import CoordinatorClient
from streamrp2p.durable import write_atomically
from streamrp2p.keys import load_keystore, read_password
from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain
from streamrp2p_demo.evidence import AnsweredBatch, answered_batches
from streamrp2p_demo.facts import Answer, Replay

REPLAY_BATCH_NUMBER = 1_000_000
"""Far above the numbers that the relay itself reaches."""
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Submitter:
    """A relay's key and the domain it signs in."""

    node: Address
    key: bytes
    domain: Domain

    def batch_of(self, record: SessionRecord, batch_number: int) -> api.Batch:
        """Sign a batch of this one record."""
        return make_batch(
            [record],
            epoch=record.ticket.epoch,
            batch_number=batch_number,
            node=self.node,
            key=self.key,
            domain=self.domain,
        )


def newest_paid(batches: list[AnsweredBatch]) -> tuple[AnsweredBatch, SessionRecord] | None:
    """Return the newest acknowledged record that is worth anything, with the batch it was in."""
    for pair in reversed(batches):
        for record in reversed(pair.acknowledged()):
            if record.weight > 0:
                return pair, record
    return None


def answer_of(answer: api.BatchAnswer) -> Answer:
    """Return the facts of an answer."""
    return Answer(
        answer.ack.batch_number,
        answer.ack.accepted,
        tuple(signed.rejection.code for signed in answer.rejections),
        answer.model_dump_json(by_alias=True),
    )


def replay(
    coordinator: CoordinatorClient, submitter: Submitter, original: AnsweredBatch, record: SessionRecord
) -> Replay:  # fmt: skip
    """Submit an acknowledged record again, twice in the same new batch."""
    batch = submitter.batch_of(record, REPLAY_BATCH_NUMBER)
    return Replay(
        submitter.node,
        record.encode(),
        answer_of(original.answer),
        answer_of(coordinator.submit(batch)),
        answer_of(coordinator.submit(batch)),
    )


def read_report(path: Path) -> Replay | None:
    """Return what the process did; None if it did not come so far."""
    if not path.exists():
        return None
    fields = json.loads(path.read_text())
    return Replay(
        Address(bytes.fromhex(fields["node"])),
        bytes.fromhex(fields["record"]),
        *(
            Answer(**{**fields[name], "rejections": tuple(fields[name]["rejections"])})
            for name in ("first", "second", "repeated")
        ),
    )


def write_report(path: Path, done: Replay) -> None:
    """Write what was done, for `read_report`."""
    fields = {**asdict(done), "node": done.node.hex(), "record": done.record.hex()}
    write_atomically(path, json.dumps(fields).encode())


def command(
    coordinator: str, folder: Path, keystore: Path, password_file: Path, report: Path
) -> list[str]:
    """Return the command line of a process that replays a record of the relay whose folder this is."""
    return [
        *(sys.executable, "-m", __name__, "--coordinator", coordinator, "--folder", str(folder)),
        *("--keystore", str(keystore), "--password-file", str(password_file)),
        *("--report", str(report)),
    ]


def main() -> None:
    """Wait until the relay has an acknowledged record of the epoch under way, then replay it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coordinator", required=True)
    for name in ("folder", "keystore", "password-file", "report"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    arguments = parser.parse_args()
    key = load_keystore(arguments.keystore, read_password(file=arguments.password_file))
    with CoordinatorClient(arguments.coordinator) as coordinator:
        config = coordinator.config()
        domain = Domain(config.chain_id, Address(config.epoch_book))
        submitter = Submitter(address_of(key), key, domain)
        while True:
            now = coordinator.config().time
            epoch = (now - config.genesis) // config.epoch_seconds
            batches = [
                pair
                for pair in answered_batches(arguments.folder)
                if pair.batch.submission.epoch == epoch
            ]
            found = newest_paid(batches)
            if found is not None:
                write_report(arguments.report, replay(coordinator, submitter, *found))
                return
            time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
