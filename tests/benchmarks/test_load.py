"""The load generator: what it hands in is right, so that a refusal is the coordinator's fault."""

import json
import subprocess
import sys

import pytest

from benchmarks.load.traffic import make, node_of, orders
from streamrp2p.api import Batch
from streamrp2p.batch import batch_root
from streamrp2p.numbers import CLOCK_SKEW_SECONDS, Address
from streamrp2p.receipt import RECORD_LENGTH, SessionRecord
from streamrp2p.signatures import recover
from streamrp2p.typed_data import Domain

DOMAIN = Domain(31337, Address(b"\1" * 20))


def test_every_session_is_handed_in_once_by_the_node_that_it_is_for() -> None:
    seen = set()
    for order in orders(3, 1_000, 4_600, sessions=250, batch=100, pools=3):
        handover = make(order, DOMAIN)
        batch = Batch.model_validate_json(handover.body)
        node = node_of(order.node, DOMAIN).address
        encoded = [
            batch.records[at : at + RECORD_LENGTH]
            for at in range(0, len(batch.records), RECORD_LENGTH)
        ]
        assert batch.submission.batch_root == batch_root(encoded)
        records = [SessionRecord.decode(data) for data in encoded]
        assert len(records) == handover.count == batch.submission.count
        assert {record.ticket.node for record in records} == {node}
        assert sum(handover.weights.values()) == sum(record.weight for record in records)
        seen |= {record.session_id for record in records}
        receipt = records[0].receipt
        assert receipt.signed_at <= 1_000 + CLOCK_SKEW_SECONDS
        assert (
            recover(receipt.digest(DOMAIN), records[0].receipt_signature)
            == records[0].ticket.viewer
        )
    assert len(seen) == 250


@pytest.mark.integration
def test_a_small_load_is_taken_in_whole_and_told_in_json() -> None:
    command = [sys.executable, "-m", "benchmarks.load", "rate", "--json"]
    small = ["--epochs", "1", "--sessions", "1000", "--epoch-seconds", "15"]
    done = subprocess.run(
        [*command, *small], check=False, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["epochs"]
    assert row["sessions"] == 1000
    assert row["database_mib"] > 0
