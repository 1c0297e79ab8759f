"""Handing receipts in: each batch is on disk before it is sent, and sent again, the same, until it is answered."""

import asyncio
import math
from collections import Counter

import structlog

from streamrp2p import api
from streamrp2p.batch import Judgement, judge, make_batch, split
from streamrp2p.client import ApiError, CoordinatorClient
from streamrp2p.errors import AnswerError, StreamrP2PError
from streamrp2p.numbers import Address, SessionId
from streamrp2p.receipt import SessionRecord
from streamrp2p.traces import NO_TRACES, Traces
from streamrp2p.verify import Code, most_bytes
from streamrp2p_node.book import Book
from streamrp2p_node.coordinator_view import NOISE_SECONDS, CoordinatorView
from streamrp2p_node.errors import NotRegisteredError
from streamrp2p_node.outbox import Outbox
from streamrp2p_node.session import Session
from streamrp2p_node.tickets import serving_ends

UNTAKEABLE = frozenset({400, 409, 413, 422})
"""Answers after which the same bytes will never be taken: their records go into another batch."""

HELD_SECONDS = 300
"""What policy refused is handed in again after so long: the operator may have taken it back."""
MAX_BAD_ANSWERS = 3
MAX_SEQUENCE = 2**32 - 1
"""Of a receipt (docs/protocol.md section 3)."""
_CODE_NAMES = {int(code): code.name.lower() for code in Code}

_log = structlog.get_logger("submitter")


class Submitter:
    """Submits the newest receipts of all epochs whose intake is open."""

    def __init__(
        self,
        *,
        client: CoordinatorClient,
        view: CoordinatorView,
        book: Book,
        outbox: Outbox,
        node: Address,
        key: bytes,
        traces: Traces = NO_TRACES,
    ) -> None:
        self._client = client
        self._view = view
        self._book = book
        self._outbox = outbox
        self._node = node
        self._key = key
        self._traces = traces
        self._bad_answers: Counter[api.ReceiptSubmission] = Counter()
        self._handed_in_at = view.now()
        self.batches: Counter[str] = Counter()
        """Batches that were sent, acknowledged or refused since the start of this process."""
        self.records: Counter[str] = Counter()
        """What became of records since then: accepted, or the name of a rejection's code."""
        self.last_ack: api.BatchAck | None = None
        self.last_error: str | None = None
        self._held_until: dict[SessionId, int] = {}

    def restore(self) -> None:
        """Apply the stored answers of the epochs in the book, after its journals are replayed."""
        for epoch in self._book.epochs():
            for stored in self._outbox.load(epoch):
                if stored.answer is not None:
                    # Checked before it was stored; the poster may be another by now, so it is not checked again.
                    self._book.judge(split(stored.batch, stored.answer))
                    self.last_ack = stored.answer.ack

    def due_count(self, epoch: int | None = None) -> int:
        """Return how many receipts wait for an acknowledgement, of one epoch or of all."""
        sessions = self._book if epoch is None else self._book.of_epoch(epoch)
        return sum(session.due() is not None for session in sessions)

    async def submit_due(self) -> None:
        """Hand in all that is due. Raises UnreachableError, ApiError, AnswerError or StorageError: try again later.

        An epoch that fails holds up no other; the first failure is raised at the end.
        """
        failure: StreamrP2PError | None = None
        for epoch in self._book.epochs():
            try:
                await self._submit_epoch(epoch)
            except StreamrP2PError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        self._handed_in_at = self._view.now()

    def backlog_seconds(self) -> int:
        """Return how long receipts have waited since all that was due was handed in; 0 while none waits."""
        return max(self._view.now() - self._handed_in_at, 0) if self.due_count() else 0

    async def _submit_epoch(self, epoch: int) -> None:
        """Hand in each session once; what was not taken, and an older receipt in its place, may follow at once.

        Viewers pay about every second: with many of them newer receipts come during every exchange, for ever.
        """
        sent: dict[SessionId, int] = {}
        while self._view.takes_receipts_of(epoch):
            batch = self._pending(epoch) or await self._next(epoch, sent)
            if batch is None:
                return
            await self._submit(batch)

    def _pending(self, epoch: int) -> api.Batch | None:
        numbers = self._outbox.numbers(epoch)
        if not numbers:
            return None
        newest = self._outbox.load_one(epoch, numbers[-1])
        return newest.batch if newest.is_pending else None

    async def _next(self, epoch: int, sent: dict[SessionId, int]) -> api.Batch | None:
        """Make the next batch, and note the sequences in `sent`; None when the rest can wait."""
        due = [(session, session.due()) for session in self._book.of_epoch(epoch)]
        records = [
            record
            for session, record in due
            if record is not None
            and record.receipt.sequence <= sent.get(record.session_id, MAX_SEQUENCE)
            and self._is_ripe(session, record)
        ][: self._view.config.max_batch_records]
        if not records:
            return None
        sent |= {record.session_id: record.receipt.sequence for record in records}
        batch = make_batch(
            records,
            epoch=epoch,
            batch_number=self._outbox.next_number(epoch),
            node=self._node,
            key=self._key,
            domain=self._view.domain,
        )
        await asyncio.to_thread(self._outbox.put, batch)
        return batch

    def _is_ripe(self, session: Session, record: SessionRecord) -> bool:
        """Tell whether the rule OVER_RATE lets a receipt pass by now. One for more than was served never waits for it.

        A viewer that takes its segments too fast would else cost the node all that it was not paid for yet. By the
        end of the session the rule allows all that a coordinator's ticket admits, and later it allows no more.
        """
        if self._view.now() < self._held_until.get(record.session_id, 0):
            return False
        ticket, now = record.ticket, self._view.now() - math.ceil(NOISE_SECONDS)
        pool = self._view.pools.get(ticket.pool_id)
        is_over = now >= serving_ends(ticket, self._view.clock)
        if pool is None or is_over or not session.is_plausible(record):
            return True
        slack = self._view.config.rate_slack_seconds
        most = most_bytes(ticket, now, pool.max_bytes_per_second, slack)
        return record.receipt.bytes_delivered <= most

    async def _submit(self, batch: api.Batch) -> None:
        """Send one stored batch, check its answer and apply it."""
        submission = batch.submission
        with self._traces.span("hand in batch") as span:
            span.set("epoch", submission.epoch)
            span.set("batch.number", submission.batch_number)
            span.set("batch.records", submission.count)
            judgement = await self._answered(batch)
            span.set("batch.accepted", len(judgement.accepted))
            span.set("batch.rejected", len(judgement.rejected))
        if _is_unregistered(judgement):
            raise NotRegisteredError(
                "the coordinator does not know this node; it is registered anew and the batch sent again"
            )

    async def _answered(self, batch: api.Batch) -> Judgement:
        self.batches["sent"] += 1
        try:
            answer = await asyncio.to_thread(self._client.submit, batch)
        except ApiError as error:
            await self._refused(batch, error)
            raise
        try:
            judgement = await self._judged(batch, answer)
        except AnswerError as error:
            await self._disbelieved(batch, error)
            raise
        await asyncio.to_thread(self._outbox.put_answer, batch, answer)
        self._book.judge(judgement)
        self._held_until |= {
            record.session_id: self._view.now() + HELD_SECONDS
            for record, rejection in judgement.rejected
            if rejection.code >= Code.SUSPECT
        }
        self.last_ack = answer.ack
        self.last_error = None
        self._count(judgement)
        _report(batch, judgement, answer)
        return judgement

    def _count(self, judgement: Judgement) -> None:
        self.batches["acknowledged"] += 1
        self.records["accepted"] += len(judgement.accepted)
        for _, rejection in judgement.rejected:
            self.records[_name(rejection.code)] += 1

    async def _judged(self, batch: api.Batch, answer: api.BatchAnswer) -> Judgement:
        try:
            return self._judge(batch, answer)
        except AnswerError:
            # The poster may have changed since the configuration was read.
            if not await self._view.refresh_soon():
                raise
            return self._judge(batch, answer)

    def _judge(self, batch: api.Batch, answer: api.BatchAnswer) -> Judgement:
        poster = Address(self._view.config.poster)
        return judge(batch, answer, poster=poster, domain=self._view.domain)

    async def _disbelieved(self, batch: api.Batch, error: AnswerError) -> None:
        """Give a batch up whose answer stays wrong, so that its records go into another.

        A coordinator repeats its answer for ever, also one that a former poster signed.
        """
        self._bad_answers[batch.submission] += 1
        if self._bad_answers[batch.submission] >= MAX_BAD_ANSWERS:
            await asyncio.to_thread(self._outbox.put_refusal, batch, str(error))

    async def _refused(self, batch: api.Batch, error: ApiError) -> None:
        if error.status in UNTAKEABLE:
            self.batches["refused"] += 1
            await asyncio.to_thread(self._outbox.put_refusal, batch, str(error))
            await self._view.refresh_soon()


def _name(code: int) -> str:
    # A newer coordinator may know codes that this node does not; it must not be able to make labels.
    return _CODE_NAMES.get(code, "unknown")


def _is_unregistered(judgement: Judgement) -> bool:
    return any(rejection.code == Code.NODE_NOT_REGISTERED for _, rejection in judgement.rejected)


def _report(batch: api.Batch, judgement: Judgement, answer: api.BatchAnswer) -> None:
    submission = batch.submission
    _log.info(
        "batch_acknowledged",
        epoch=submission.epoch,
        batch=submission.batch_number,
        accepted=len(judgement.accepted),
        rejected=len(judgement.rejected),
    )
    reasons = {signed.rejection.session_id: signed.reason for signed in answer.rejections}
    for record, rejection in judgement.rejected:
        _log.warning(
            "receipt_rejected",
            session="0x" + record.session_id.hex(),
            sequence=rejection.sequence,
            code=rejection.code,
            reason=reasons[rejection.session_id],
        )
