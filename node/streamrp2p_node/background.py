"""What a running node does besides answering viewers: it finds its coordinator, hands receipts in, tidies up."""

import asyncio
from dataclasses import dataclass

import structlog

from streamrp2p.client import ApiError, CoordinatorClient, UnreachableError
from streamrp2p.durable import StorageError
from streamrp2p.errors import AnswerError, StreamrP2PError
from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.doors import Doors
from streamrp2p_node.errors import (
    ChainUnreachableError,
    ClockSkewError,
    NotReachableError,
    NotRegisteredError,
    Reason,
    WrongDeploymentError,
)
from streamrp2p_node.folder import Folder
from streamrp2p_node.housekeeping import DAY_SECONDS, close_past_epochs, delete_old
from streamrp2p_node.presence import Presence
from streamrp2p_node.settings import Settings
from streamrp2p_node.store import Store
from streamrp2p_node.submitter import Submitter

FIRST_WAIT_SECONDS = 0.5
MAX_WAIT_SECONDS = 15.0
MARGIN_SECONDS = 3.0
"""A last submission is tried so long before intake closes."""
TIDY_SECONDS = 2.0
PURGE_SECONDS = 3600.0

OUTSIDE_FAILURES = (
    ApiError,
    UnreachableError,
    AnswerError,
    ChainUnreachableError,
    NotReachableError,
    NotRegisteredError,
    StorageError,
)
"""The node waits these out; anything else is a bug or a wrong setting, and ends it."""

_log = structlog.get_logger("node")


class Backoff:
    """Waits that double from FIRST_WAIT_SECONDS up to MAX_WAIT_SECONDS."""

    def __init__(self) -> None:
        self._next = FIRST_WAIT_SECONDS

    def failed(self) -> float:
        """Return how long to wait after a failure."""
        wait, self._next = self._next, min(self._next * 2, MAX_WAIT_SECONDS)
        return wait

    def succeeded(self) -> None:
        """Start over."""
        self._next = FIRST_WAIT_SECONDS


@dataclass(frozen=True, slots=True)
class Background:
    """The node's loops."""

    settings: Settings
    folder: Folder
    client: CoordinatorClient
    view: CoordinatorView
    store: Store
    submitter: Submitter
    presence: Presence
    doors: Doors

    async def run(self) -> None:
        """Run until cancelled. At the start raises WrongDeploymentError, ClockSkewError or what the view's check does.

        No node may begin so. Later they are only warned of: the node still has receipts to hand in, and serves on with
        what it knew.
        """
        # Beside the waiting for the coordinator: a node that knew it before serves meanwhile.
        await asyncio.gather(self._bounds_loop(), self._work())

    async def _work(self) -> None:
        await self._connect()
        await asyncio.gather(
            self._refresh_loop(),
            self._presence_loop(),
            self._submit_loop(),
            self._tidy_loop(),
            self._purge_loop(),
        )

    async def flush(self) -> None:
        """Hand in what is due, for the last time; gives up after `flush_seconds`. Nothing is lost: it is journaled."""
        if not self.view.is_known or not self.submitter.due_count():
            return
        try:
            await asyncio.wait_for(self.submitter.submit_due(), self.settings.flush_seconds)
        except (TimeoutError, *OUTSIDE_FAILURES) as error:
            _log.warning(
                "receipts_not_handed_in",
                advice="they are journaled; start the node again soon",
                receipts=self.submitter.due_count(),
                reason=str(error) or "the coordinator took too long",
            )

    async def save_month(self) -> None:
        """Keep the count of the month's bytes."""
        try:
            await asyncio.to_thread(self.doors.month.save)
        except StorageError as error:
            _log.warning("month_not_kept", reason=str(error))

    async def _connect(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self.view.refresh()
                self.view.check_skew()
                await self.presence.update()
            except OUTSIDE_FAILURES as error:
                wait = backoff.failed()
                _log.warning(
                    "coordinator_not_reached",
                    coordinator=self.settings.coordinator_url,
                    reason=str(error),
                    wait_seconds=wait,
                )
                await asyncio.sleep(wait)
            else:
                _log.info("connected", coordinator=self.settings.coordinator_url)
                return

    async def _refresh_loop(self) -> None:
        backoff = Backoff()
        while True:
            await asyncio.sleep(self.settings.refresh_seconds)
            try:
                await self.view.refresh()
                backoff.succeeded()
            except WrongDeploymentError as error:
                _log.error("coordinator_not_believed", reason=str(error))
            except StreamrP2PError as error:
                # Also what would have kept the node from beginning, such as an RPC that refuses to check an answer.
                _log.warning("coordinator_not_asked", reason=str(error))
                await asyncio.sleep(backoff.failed())
            self._warn_of_skew()

    async def _presence_loop(self) -> None:
        while True:
            await asyncio.sleep(self.presence.next_look_seconds())
            try:
                await self.presence.update()
            except OUTSIDE_FAILURES as error:
                _log.warning("node_not_registered", reason=str(error))

    async def _submit_loop(self) -> None:
        backoff = Backoff()
        wait = 0.0
        failure: Exception | None = None
        while True:
            await asyncio.sleep(wait)
            try:
                if isinstance(failure, NotRegisteredError):
                    # Reachable or not: what was earned must be handed in, and only a registered node can.
                    await self.presence.register()
                failure = None
                await self.submitter.submit_due()
                backoff.succeeded()
                wait = self._next_submission()
            except OUTSIDE_FAILURES as error:
                failure = error
                wait = backoff.failed()
                self.submitter.last_error = str(error)
                _log.warning("batch_not_acknowledged", reason=str(error), wait_seconds=wait)

    def _next_submission(self) -> float:
        """Return the wait until the next submission, in seconds: sooner when the intake of an epoch closes."""
        wait = self.settings.submit_seconds
        now = self.view.now()
        for epoch in self.store.open_epochs():
            left = self.view.clock.intake_end(epoch) - MARGIN_SECONDS - now
            if left > 0:
                wait = min(wait, left)
        return max(wait, 0.1)

    async def _bounds_loop(self) -> None:
        """Keep the month's bytes, and tell the operator when viewers begin or cease to be refused."""
        closed_because: Reason | None = None
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            await self.save_month()
            before, closed_because = closed_because, self.doors.closed_because
            if closed_because not in (before, Reason.DRAINING):
                if closed_because is None:
                    _log.info("doors_opened")
                else:
                    _log.warning("doors_closed", reason=str(closed_because))

    async def _tidy_loop(self) -> None:
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            close_past_epochs(self.store, self.submitter, self.view)
            try:
                await self.store.compact()
            except StorageError as error:
                _log.warning("journal_not_compacted", reason=str(error))

    async def _purge_loop(self) -> None:
        while True:
            before = self.view.now() - self.settings.keep_days * DAY_SECONDS
            try:
                await asyncio.to_thread(
                    delete_old, self.folder.journals, self.folder.batches, before=before
                )
            except OSError as error:
                _log.warning("old_evidence_not_deleted", reason=str(error))
            await asyncio.sleep(PURGE_SECONDS)

    def _warn_of_skew(self) -> None:
        try:
            self.view.check_skew()
        except ClockSkewError as error:
            _log.warning("clock_wrong", reason=str(error))
