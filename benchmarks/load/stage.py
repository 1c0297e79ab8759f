"""A chain, a database, a coordinator's process and nodes that it knows."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import text

from benchmarks.load.traffic import NODES, node_of
from streamrp2p.client import CoordinatorClient
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.typed_data import Domain
from streamrp2p_coordinator.database import Database, open_database
from tests.coordinator.process import (
    QUICK_EPOCHS,
    Coordinator,
    coordinator_over,
    healthy_endpoint,
    let_time_pass,
    living_chain,
)
from tests.support.chain import ONE_TOKEN, DeployedChain
from tests.support.ports import find_free_port
from tests.support.postgres import running_postgres

POOLS = 3
GRACE_PART = 4
"""Intake goes on for so much of an epoch's length after its end: a slow machine has not handed all in by then."""


@dataclass(frozen=True)
class Stage:
    """What a load is put on."""

    chain: DeployedChain
    coordinator: Coordinator
    client: CoordinatorClient
    database: Database
    domain: Domain
    epochs: EpochClock

    def database_bytes(self) -> int:
        """Return what the database takes on the disk."""
        if self.database.engine.dialect.name == "postgresql":
            with self.database.engine.connect() as connection:
                asked = text("SELECT pg_database_size(current_database())")
                return int(connection.execute(asked).scalar_one())
        main = Path(str(self.database.engine.url.database))
        return sum(file.stat().st_size for file in main.parent.glob(f"{main.name}*"))

    def memory_bytes(self) -> int:
        """Return the resident memory of the coordinator's process."""
        assert self.coordinator.process is not None
        pages = int(Path(f"/proc/{self.coordinator.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def staged(folder: Path, *, is_postgresql: bool, epoch_seconds: int) -> Iterator[Stage]:
    """Start everything and register the nodes; ends what it started."""
    with ExitStack() as running:
        url = running.enter_context(running_postgres()) if is_postgresql else f"sqlite:///{folder}/load.db"  # fmt: skip
        parameters = replace(
            QUICK_EPOCHS,
            epoch_seconds=epoch_seconds,
            intake_grace_seconds=epoch_seconds // GRACE_PART,
            challenge_seconds=5,
        )
        chain = running.enter_context(living_chain(folder, parameters))
        # The last pool's budget is reached, the others' are not.
        for budget in (100_000, 100_000, 1)[:POOLS]:
            chain.fund_pool(amount=100_000 * ONE_TOKEN, epoch_budget=budget * ONE_TOKEN)
        coordinator = running.enter_context(coordinator_over(chain, folder, url, find_free_port()))
        endpoint = running.enter_context(healthy_endpoint())
        let_time_pass(chain)
        client = coordinator.start()
        domain = chain.epoch_book.domain()
        deadline = int(time.time()) + 3600
        for number in range(NODES):
            node = node_of(number, domain)
            client.register(node.registration(endpoint=endpoint, deadline=deadline))
        database = open_database(url)
        running.callback(database.close)
        yield Stage(chain, coordinator, client, database, domain, chain.epoch_book.clock())


def wait_until(moment: float) -> None:
    """Wait for a Unix time."""
    time.sleep(max(moment - time.time(), 0))
