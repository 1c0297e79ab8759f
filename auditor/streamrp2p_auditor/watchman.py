"""One round of a watchman: read the chain, judge what is new, act on what is wrong, tell whom it concerns."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

import structlog
from web3 import Web3

from streamrp2p.audit import Difference
from streamrp2p.bundle_store import BundleStore
from streamrp2p.chain import BookState, Chain, EpochStatus
from streamrp2p.chain.errors import ChainMovedError
from streamrp2p.errors import StreamrP2PError
from streamrp2p.traces import NO_TRACES, Traces
from streamrp2p_auditor.alerts import Bell
from streamrp2p_auditor.errors import JudgementCrashedError
from streamrp2p_auditor.heads import Head, head_at, newest_head, still_stands
from streamrp2p_auditor.judge import Judged, judge
from streamrp2p_auditor.report import Outcome, verdict_of
from streamrp2p_auditor.state import Case, Found, LastBlock, State, case_key

PATIENCE_PARTS = 20
MAX_PATIENCE_SECONDS = 600
"""A bundle may be late: it is missed after a twentieth of the challenge window, but no later than this."""
WARNING_PARTS = 4
"""In the last quarter of its challenge window a header without a verdict is warned of."""
FIRST_WAIT_SECONDS = 5.0
MAX_WAIT_SECONDS = 300.0

log = structlog.get_logger("audit")


class Prosecutor(Protocol):
    """Does something about headers that are wrong. Its methods are safe to repeat."""

    def follow(self, chain: Chain, cases: dict[str, Case]) -> None:
        """Note what became of the transaction under way."""

    def act(self, chain: Chain, case: Case, head: Head) -> Case:
        """Take the next step against a header that is pending."""

    def tidy(self, chain: Chain, cases: dict[str, Case]) -> None:
        """Take back what is owed to us."""

    @property
    def is_busy(self) -> bool:
        """Tell whether a transaction is under way."""


@dataclass(slots=True)
class Watchman:
    """Follows one deployment. `first`: judge from this epoch on, also what is final. Times are the chain's."""

    state: State
    bell: Bell
    bundles: BundleStore
    batches: Path | None
    first: int | None
    is_patient: bool
    """Whether a bundle that is missing is waited for before it is told."""
    prosecutor: Prosecutor | None
    monotonic: Callable[[], float]
    traces: Traces = NO_TRACES
    cases: dict[str, Case] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    """The keys of the cases that this run looked at."""
    _doubted: set[str] = field(default_factory=set)
    _tries: dict[str, tuple[float, float]] = field(default_factory=dict)
    """When an epoch without a verdict is tried again, and how long is waited after that."""
    _backlog: int = 0
    """The next final epoch to judge."""
    _missed: deque[int] = field(default_factory=deque)
    """Final epochs that could not be judged yet."""
    _missed_again_at: float = 0.0
    _last: LastBlock | None = None
    """The newest block that was read. On the disk it stays behind until all that it made doubtful was judged."""

    @property
    def is_busy(self) -> bool:
        """Tell whether a transaction is under way."""
        return self.prosecutor is not None and self.prosecutor.is_busy

    @property
    def last_block(self) -> LastBlock | None:
        """Return the newest block that was read."""
        return self._last

    def load(self) -> None:
        """Read what was remembered."""
        self.cases = {case.key: case for case in self.state.cases()}
        self._last = self.state.last_block()
        self._backlog = self.first or 0

    def round(self, chain: Chain) -> bool:
        """Do all that is due; tells whether final epochs are still to be judged. Raises ChainError."""
        web3 = chain.book.web3
        head = newest_head(web3)
        if self._last is not None and head.number < self._last.number:
            # An RPC that is behind, or a branch that is still shorter: neither says anything new.
            self._finish(chain)
            return False
        book = chain.book.state(head.number)
        statuses = chain.book.statuses(range(book.finalised_epochs, book.next_epoch), head.number)
        pending = {case_key(status) for status in statuses}
        self._doubted &= pending
        if self._last is not None and _was_left(web3, self._last):
            log.warning("chain_moved", block=self._last.number, advice="it is judged again")
            self._doubted |= pending
        self._last = LastBlock(number=head.number, hash=head.hash, time=head.time)
        if self.prosecutor is not None:
            self.prosecutor.follow(chain, self.cases)
        self._note_fates(chain, book, statuses, head)
        for status in statuses:
            self._judge_if_due(chain, status, head)
        has_backlog = self._judge_backlog(chain, book, head)
        self._act(chain, statuses, head)
        self._finish(chain)
        return has_backlog

    def _finish(self, chain: Chain) -> None:
        if self.prosecutor is not None:
            self.prosecutor.tidy(chain, self.cases)
        if self._last is not None and not self._doubted:
            self.state.put_last_block(self._last)

    def _note_fates(
        self, chain: Chain, book: BookState, statuses: Sequence[EpochStatus], head: Head
    ) -> None:
        """See which headers fell or became final since."""
        pending = {case_key(status) for status in statuses}
        for case in list(self.cases.values()):
            if case.fate == "pending" and case.key not in pending:
                self._note_end(chain, book, case, head)
            elif case.fate != "pending" and case.key in pending:
                # The branch on which it had ended was left.
                self._put(case.model_copy(update={"fate": "pending", "is_settled": False}))

    def _note_end(self, chain: Chain, book: BookState, case: Case, head: Head) -> None:
        is_final = False
        if case.epoch < book.finalised_epochs:
            is_final = chain.book.status(case.epoch, head.number).digest == case.digest
        case = case.model_copy(update={"fate": "final" if is_final else "void"})
        self._put(case)
        self.seen.add(case.key)
        log.info("header_ended", fate=case.fate, epoch=case.epoch, header=_shown(case))
        if is_final and case.verdict == "wrong":
            text = f"epoch {case.epoch} is final and wrong: nothing stopped it"
            self._put(self.bell.ring(case, "final", text))
        elif not is_final and case.alerts:
            text = f"the header of epoch {case.epoch} is void"
            self._put(self.bell.ring(case, "void", text))

    def _judge_if_due(self, chain: Chain, status: EpochStatus, head: Head) -> None:
        key = case_key(status)
        case = self.cases.get(key)
        is_done = case is not None and case.verdict != "unjudged" and key not in self._doubted
        if case is not None and is_done:
            self.seen.add(case.key)
            return
        not_before, wait = self._tries.get(key, (0.0, FIRST_WAIT_SECONDS))
        if case is not None and self.monotonic() < not_before:
            if case.verdict == "unjudged":
                self._tell_unjudged(chain, case, head)
            return
        case = self._judge(chain, status, head)
        if case.verdict == "unjudged":
            self._tries[key] = (self.monotonic() + wait, min(2 * wait, MAX_WAIT_SECONDS))
            self._tell_unjudged(chain, case, head)
        else:
            self._tries.pop(key, None)
        # Nor is there a verdict to doubt where none could be given.
        self._doubted.discard(key)

    def _judge_backlog(self, chain: Chain, book: BookState, head: Head) -> bool:
        """Judge one final epoch that was asked for: what is pending must not wait for all of them."""
        while self.first is not None and self._backlog < book.finalised_epochs:
            status = chain.book.status(self._backlog, head.number)
            self._backlog += 1
            known = self._final_case(status)
            if known is None or known.verdict == "unjudged":
                self._judge_final(chain, status, head)
                return self._backlog < book.finalised_epochs
            self.seen.add(known.key)
        if self._missed and self.monotonic() >= self._missed_again_at:
            status = chain.book.status(self._missed[0], head.number)
            self._missed.popleft()
            self._judge_final(chain, status, head)
        return False

    def _judge_final(self, chain: Chain, status: EpochStatus, head: Head) -> None:
        case = self._judge(chain, status, head)
        if case.verdict == "wrong":
            self._put(self.bell.ring(case, "final", f"epoch {case.epoch} is final and wrong"))
        elif case.verdict == "unjudged":
            self._put(self.bell.ring(case, "unjudged", _unjudged(case)))
            self._missed.append(case.epoch)
            self._missed_again_at = self.monotonic() + MAX_WAIT_SECONDS

    def _final_case(self, status: EpochStatus) -> Case | None:
        """Return the case of a final header: it may have been opened while the header was pending."""
        same = (status.epoch, status.digest)
        found = [one for one in self.cases.values() if (one.epoch, one.digest) == same]
        return found[-1] if found else None

    def _judge(self, chain: Chain, status: EpochStatus, head: Head) -> Case:
        with self.traces.span("audit epoch") as span:
            outcome = self._outcome(chain, status.epoch, head)
            span.set("epoch", status.epoch)
            span.set("verdict", verdict_of(outcome))
            if isinstance(outcome, Judged):
                span.set("bundle.bytes", outcome.bundle_bytes)
            else:
                span.fail()
        before = self.cases.get(case_key(status))
        case = _opened(status, head) if before is None else before
        had_verdict = case.verdict != "unjudged"
        case = case.model_copy(update=_judgement(outcome))
        if had_verdict and case.verdict == "unjudged":
            case = case.model_copy(update={"since": head.time})
        self._put(case)
        self.seen.add(case.key)
        if before is None or (before.verdict, before.reason) != (case.verdict, case.reason):
            level = log.info if case.verdict == "byte-identical" else log.warning
            facts = {"reason": case.reason} if case.reason else {}
            level("judged", epoch=case.epoch, verdict=case.verdict, header=_shown(case), **facts)
        if case.verdict == "wrong" and status.state == "pending":
            self._put(self.bell.ring(case, "wrong", _wrong(case)))
        elif case.verdict == "byte-identical" and case.alerts:
            text = f"epoch {case.epoch} is byte-identical after all"
            self._put(self.bell.ring(case, "right", text))
        return self.cases[case.key]

    def _outcome(self, chain: Chain, epoch: int, head: Head) -> Outcome:
        try:
            judged = judge(chain, self.bundles, epoch, self.batches, block=head.number)
            if still_stands(chain.book.web3, head):
                return judged
            return ChainMovedError(epoch)
        except StreamrP2PError as error:
            return error
        except Exception:
            # Whoever finds a bug with a bundle must not blind those who watch the other epochs.
            log.exception("judgement_crashed", epoch=epoch)
            return JudgementCrashedError(epoch)

    def _tell_unjudged(self, chain: Chain, case: Case, head: Head) -> None:
        if not self.is_patient or self.is_missed(chain, case, head):
            case = self.bell.ring(case, "unjudged", _unjudged(case))
        ends_at = case.challenge_ends_at
        window = chain.book.rules.challenge_seconds
        if ends_at is not None and head.time >= ends_at - window // WARNING_PARTS:
            text = (
                f"the challenge window of epoch {case.epoch} ends in {max(ends_at - head.time, 0)} s "
                "and there is no verdict"
            )
            case = self.bell.ring(case, "window-ends", text)
        self._put(case)

    def is_missed(self, chain: Chain, case: Case, head: Head) -> bool:
        """Tell whether the epoch could not be judged for so long that its bundle counts as withheld."""
        patience = min(chain.book.rules.challenge_seconds // PATIENCE_PARTS, MAX_PATIENCE_SECONDS)
        return head.time >= case.since + patience

    def _act(self, chain: Chain, statuses: Iterable[EpochStatus], head: Head) -> None:
        if self.prosecutor is None:
            return
        for status in statuses:
            case = self.cases.get(case_key(status))
            if case is None or case.key in self._doubted:
                continue
            if case.verdict == "wrong" or (
                case.verdict == "unjudged" and self.is_missed(chain, case, head)
            ):
                self._put(self.prosecutor.act(chain, case, head))

    def _put(self, case: Case) -> None:
        if self.cases.get(case.key) != case:
            self.state.put_case(case)
        self.cases[case.key] = case


def _was_left(web3: Web3, last: LastBlock) -> bool:
    found = head_at(web3, last.number)
    return found is None or found.hash != last.hash


def _opened(status: EpochStatus, head: Head) -> Case:
    return Case(
        epoch=status.epoch,
        digest=status.digest,
        committed_at=status.committed_at,
        challenge_ends_at=status.challenge_ends_at,
        verdict="unjudged",
        since=head.time,
        fate="final" if status.state == "final" else "pending",
    )


def _judgement(outcome: Outcome) -> dict[str, object]:
    """Return the fields of a case that a judgement sets."""
    if not isinstance(outcome, Judged):
        return {
            "verdict": "unjudged",
            "difference": None,
            "reason": str(outcome),
            "retryable": outcome.retryable,
        }
    verdict = outcome.verdict
    return {
        "verdict": verdict_of(outcome),
        "difference": Found(**asdict(verdict)) if isinstance(verdict, Difference) else None,
        "reason": None,
        "retryable": False,
        "header_hash": outcome.facts.committed.header_hash,
        "block": outcome.facts.committed.block,
    }


def _shown(case: Case) -> str:
    return "0x" + (case.header_hash or case.digest).hex()


def _wrong(case: Case) -> str:
    found = case.difference
    assert found is not None  # noqa: S101 - a wrong case has one
    return (
        f"epoch {case.epoch} is wrong: {found.proof}, {found.row}, {found.field}: "
        f"expected {found.expected}, found {found.found}"
    )


def _unjudged(case: Case) -> str:
    return f"epoch {case.epoch} cannot be judged: {case.reason}"
