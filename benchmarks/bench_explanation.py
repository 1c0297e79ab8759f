"""Why this amount, while the epoch is open: what a request costs beside many sessions, and what keeps it so cheap."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from benchmarks.measurement import Measurement, measured
from benchmarks.sessions import DOMAIN, NODES, POOLS, encoded_records
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.explanation import tally_of
from streamrp2p.numbers import ZERO_ADDRESS
from streamrp2p.receipt import SessionRecord
from streamrp2p.verify import Checked
from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.migrate import migrate
from streamrp2p_coordinator.network import Network
from streamrp2p_coordinator.use_cases.explain_epoch import explain_epoch

COUNT = 100_000
FEW = 1_000
BATCH = 1_000
NOT_ASKED = cast("Chain", None)
"""What explains the epoch is all in the database."""
NETWORK = Network(DOMAIN, EpochClock(0, 3600, 600), 86_400, ZERO_ADDRESS, ZERO_ADDRESS)


def measure() -> Iterator[Measurement]:
    """Explain a node's open epoch out of few sessions and of many; count the same sessions by decoding them."""
    encoded = encoded_records(COUNT)
    with tempfile.TemporaryDirectory() as folder:
        for count in (FEW, COUNT):
            database = open_database(f"sqlite:///{Path(folder) / f'{count}.db'}")
            migrate(database)
            _fill(database, encoded[:count])
            yield _explained(database, encoded[0], count)
            database.close()
    yield measured(f"count {COUNT:,} sessions anew", lambda: tally_of(encoded), items=1, rounds=2)


def _fill(database: Database, encoded: tuple[bytes, ...]) -> None:
    checked = [Checked(SessionRecord.decode(record)) for record in encoded]
    for start in range(0, len(checked), BATCH):
        with database.write() as store:
            store.ledger.keep(checked[start : start + BATCH], {})
    with database.write() as store:
        store.pools.keep_inputs(0, POOLS, is_fixed=True, is_over=False)


def _explained(database: Database, record: bytes, count: int) -> Measurement:
    account = SessionRecord.decode(record).ticket.node

    def explain() -> None:
        answer = explain_epoch(
            account,
            0,
            database=database,
            chain=NOT_ASKED,
            network=NETWORK,
            clock=lambda: 1800,
        )
        (pool,) = answer.explanation.pools
        if pool.sessions != count // NODES:
            raise AssertionError("the benchmark's node must have its sessions")

    return measured(f"explain an epoch of {count:,} sessions", explain, items=1)
