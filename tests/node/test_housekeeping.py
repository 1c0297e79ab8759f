"""Past epochs leave memory, and evidence stays as long as it may be needed."""

import os

from structlog.testing import capture_logs

from streamrp2p_node.housekeeping import close_past_epochs, delete_old
from tests.node.conftest import World
from tests.node.fakes import EPOCH_SECONDS, GENESIS, GRACE_SECONDS
from tests.node.test_submitter import paid_session

INTAKE_END = GENESIS + EPOCH_SECONDS + GRACE_SECONDS


async def test_an_epoch_is_dropped_from_memory_once_its_intake_is_over(world: World) -> None:
    await paid_session(world)
    await paid_session(world, epoch=1)
    await world.submitter.submit_due()
    world.clock.now = INTAKE_END + 4
    close_past_epochs(world.store, world.submitter, world.view)
    assert world.store.open_epochs() == [0, 1]
    world.clock.now = INTAKE_END + 5
    with capture_logs() as logs:
        close_past_epochs(world.store, world.submitter, world.view)
    assert world.store.open_epochs() == [1]
    assert [session.ticket.epoch for session in world.store.book] == [1]
    assert logs == []
    assert (world.folder.journals / "epoch-0.journal").exists()


async def test_receipts_that_missed_intake_are_told_of(world: World) -> None:
    await paid_session(world)
    world.clock.now = INTAKE_END + 5
    with capture_logs() as logs:
        close_past_epochs(world.store, world.submitter, world.view)
    assert [(log["log_level"], log["epoch"], log["receipts"]) for log in logs] == [("error", 0, 1)]


async def test_evidence_is_deleted_after_its_time_and_not_before(world: World) -> None:
    await paid_session(world)
    await world.submitter.submit_due()
    journal, batches = world.folder.journals / "epoch-0.journal", world.folder.batches / "0"
    delete_old(world.folder.journals, world.folder.batches, before=journal.stat().st_mtime - 1)
    assert journal.exists()
    assert batches.exists()
    os.utime(journal, (1000, 1000))
    os.utime(batches, (1000, 1000))
    delete_old(world.folder.journals, world.folder.batches, before=1001)
    assert not journal.exists()
    assert not batches.exists()
