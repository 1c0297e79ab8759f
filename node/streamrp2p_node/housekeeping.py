"""Letting go of what is over: epochs whose intake closed, and evidence past its time."""

import shutil
from pathlib import Path

import structlog

from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.store import Store
from streamrp2p_node.submitter import Submitter

CLOSE_AFTER_SECONDS = 5
"""After the end of intake: the last answers may still be on their way."""
DAY_SECONDS = 86_400

_log = structlog.get_logger("housekeeping")


def close_past_epochs(store: Store, submitter: Submitter, view: CoordinatorView) -> None:
    """Drop the epochs whose intake is over from memory, and say so if receipts were left over."""
    for epoch in store.open_epochs():
        if view.takes_receipts_of(epoch) or (
            view.now() < view.clock.intake_end(epoch) + CLOSE_AFTER_SECONDS
        ):
            continue
        left = submitter.due_count(epoch)
        if left:
            _log.error(
                "receipts_lost",
                epoch=epoch,
                receipts=left,
                todo="look for earlier errors of the submitter",
            )
        store.close_epoch(epoch)


def delete_old(journals: Path, batches: Path, *, before: float) -> None:
    """Delete journals and batches that were last written before a Unix time."""
    for path in [*journals.iterdir(), *batches.iterdir()]:
        if path.stat().st_mtime >= before:
            continue
        _log.info("old_evidence_deleted", path=str(path))
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
