"""Acts against headers that are wrong or withheld, one transaction at a time, until they fall."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from streamrp2p.amounts import format_ether
from streamrp2p.bundle_store import BundleStore
from streamrp2p.chain import (
    Call,
    Chain,
    ChainError,
    DemandRecord,
    InsufficientFundsError,
    TransactionRevertedError,
    receipt_of,
)
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.errors import StreamrP2PError
from streamrp2p.traces import NO_TRACES, Traces
from streamrp2p_auditor.alerts import Bell
from streamrp2p_auditor.court import Court
from streamrp2p_auditor.gather import gather
from streamrp2p_auditor.heads import Head
from streamrp2p_auditor.state import Case, Purpose, State, Transaction
from streamrp2p_auditor.steps import (
    Limits,
    Step,
    Waiting,
    commit_demands,
    next_step,
)
from streamrp2p_auditor.wallet import Ended, Wallet

FIRST_WAIT_SECONDS = 2.0
MAX_WAIT_SECONDS = 120.0
MAX_REVERTED = 5
"""After so many transactions of one case that were mined without effect, no more gas is spent on it."""

TIMES_STUCK = 2
"""So often nothing can be done before that is told: the chain may only have moved meanwhile."""
_AGAINST_HEADERS: tuple[Purpose, ...] = ("challenge", "demand", "expire")

log = structlog.get_logger("audit")


@dataclass(slots=True)
class Pause:
    """A case that is left alone until `until` (monotonic), unless demands or answers come: then at once."""

    until: float
    wait_seconds: float
    records: Sequence[DemandRecord] | None
    """The demands that were there; None for a failure, for which new ones are no reason to hurry."""
    times_stuck: int = 0


@dataclass(slots=True)
class Prosecution:
    """See `watchman.Prosecutor`. `withdraw` takes credit out to the key's own address as soon as there is any."""

    wallet: Wallet
    state: State
    bell: Bell
    bundles: BundleStore
    batches: Path | None
    limits: Limits
    withdraw: bool
    monotonic: Callable[[], float]
    traces: Traces = NO_TRACES
    _pauses: dict[str, Pause] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)

    @property
    def is_busy(self) -> bool:
        """Tell whether a transaction is under way."""
        return self.wallet.is_busy

    def greet(self, chain: Chain) -> None:
        """Say who acts, and with how much; raises NoCourtError where nobody can."""
        rules = Court.of(chain).demands.rules
        shown = "0x" + self.wallet.address.hex()
        balance = quantity(request(chain.book.web3, "eth_getBalance", [shown, "latest"]))
        level = log.info if balance else log.warning
        level(
            "challenging",
            sender=shown,
            balance_wei=balance,
            demand_bond_wei=rules.demand_bond_wei,
            response_seconds=rules.response_seconds,
        )

    def follow(self, chain: Chain, cases: dict[str, Case]) -> None:
        """Note what became of the transaction under way."""
        ended = self.wallet.follow(chain.book.web3)
        if ended is None:
            return
        transaction = ended.transaction
        case = cases.get(transaction.case or "")
        if case is not None:
            case = _with(case, transaction)
            self.state.put_case(case)
            cases[case.key] = case
            self._pauses.pop(case.key, None)
        self._report(chain, ended)
        self.wallet.forget()

    def act(self, chain: Chain, case: Case, head: Head) -> Case:
        """Take the next step against a header that is pending."""
        if self.is_busy:
            return self._tell_shortage(case)
        if case.committed_at is None or case.challenge_ends_at is None:
            return case
        reverted = sum(one.end == "reverted" for one in case.transactions)
        if reverted >= MAX_REVERTED:
            text = f"{reverted} transactions against epoch {case.epoch} were mined without effect"
            return self.bell.ring(case, "unproven", text)
        try:
            return self._next(chain, case, head, case.committed_at, case.challenge_ends_at)
        except InsufficientFundsError as error:
            reason = str(error)
        except StreamrP2PError as error:
            # If the RPC is down, the next round meets that too.
            self._tell_once(case.key, error)
            self._pause(case.key, None)
            return case
        except Exception:
            # Whoever finds a bug with one header must not shield the others.
            log.exception("step_crashed", epoch=case.epoch)
            reason = "the step against it crashed; report the traceback"
        self._pause(case.key, None)
        return self.bell.ring(case, "unproven", f"epoch {case.epoch} stands: {reason}")

    def tidy(self, chain: Chain, cases: dict[str, Case]) -> None:
        """Take bonds back whose header fell or became final, and credit out."""
        for case in list(cases.values()):
            if self.is_busy:
                return
            has_demands = any(one.purpose == "demand" for one in case.transactions)
            try:
                if case.fate != "pending" and has_demands and not case.is_settled:
                    cases[case.key] = self._reclaim(chain, case)
                    self.state.put_case(cases[case.key])
            except ChainError as error:
                self._tell_once(case.key, error)
        try:
            if self.withdraw and not self.is_busy:
                self._withdraw(chain)
        except ChainError as error:
            self._tell_once("", error)

    def _next(
        self, chain: Chain, case: Case, head: Head, committed_at: int, window_ends_at: int
    ) -> Case:
        court = Court.of(chain)
        facts = chain.facts(case.epoch, head.number)
        committed = facts.committed
        known = {"header_hash": committed.header_hash, "block": committed.block}
        case = case.model_copy(update=known)
        records = commit_demands(court, committed, committed_at)
        if self._is_paused(case.key, records, head.time) or self._is_under_way(chain, case):
            return case
        step = next_step(
            court,
            gather(facts, self.bundles, self.batches),
            committed_at,
            records,
            now=head.time,
            window_ends_at=window_ends_at,
            limits=self.limits,
        )
        if isinstance(step, Step):
            self.state.put_case(case)
            shown = f"{step.kind} epoch {case.epoch}: {step.proof}, {step.shows.row}"
            self._send(chain, step.call, step.kind, case, shown)
            return case
        pause = self._pause(case.key, records)
        if isinstance(step, Waiting):
            if self._told.get(case.key) != str(step.until):
                log.info("answer_owed", epoch=case.epoch, until=step.until)
            self._told[case.key] = str(step.until)
            return case
        pause.times_stuck += 1
        if pause.times_stuck < TIMES_STUCK:
            return case
        return self.bell.ring(case, "unproven", f"epoch {case.epoch} stands: {step.reason}")

    def _tell_shortage(self, case: Case) -> Case:
        if self.wallet.shortage is None:
            return case
        text = f"epoch {case.epoch} stands: {self.wallet.shortage}"
        return self.bell.ring(case, "unproven", text)

    def _is_paused(self, key: str, records: Sequence[DemandRecord], now: int) -> bool:
        pause = self._pauses.get(key)
        if pause is None or self.monotonic() >= pause.until:
            return False
        if pause.records is None:
            return True
        return records == pause.records and not any(
            one.state == "open" and now >= one.answer_by for one in records
        )

    def _is_under_way(self, chain: Chain, case: Case) -> bool:
        """Tell whether what was mined does its work yet: the RPC may be behind, or the chain have left that branch."""
        for transaction in case.transactions:
            if transaction.end != "mined" or transaction.purpose not in _AGAINST_HEADERS:
                continue
            try:
                receipt = receipt_of(chain.book.web3, transaction.signed[-1].hash)
            except TransactionRevertedError:
                continue
            if receipt is None:
                log.warning("transaction_lost", does=transaction.shown, advice="it is sent again")
                self.wallet.resume(chain.book.web3, transaction)
                return True
            if transaction.purpose != "demand":
                return True
        return False

    def _reclaim(self, chain: Chain, case: Case) -> Case:
        """Take the next bond back that is still in a demand; a case without such is settled."""
        demands = Court.of(chain).demands
        for record in demands.demands(from_block=case.block):
            chunk = record.demanded
            is_ours = record.demander == self.wallet.address and record.state == "open"
            same = (chunk.header_hash[: len(case.digest)], chunk.committed_at)
            if is_ours and same == (case.digest, case.committed_at):
                shown = f"take the bond of a demand on epoch {case.epoch} back"
                self._send(chain, demands.reclaim_call(chunk), "reclaim", case, shown)
                return case
        return case.model_copy(update={"is_settled": True})

    def _withdraw(self, chain: Chain) -> None:
        me = self.wallet.address
        book, demands = chain.book, Court.of(chain).demands
        for contract in (book, demands):
            credit = contract.credit_of(me)
            if credit:
                shown = f"withdraw {format_ether(credit)} from {contract.ARTIFACT}"
                self._send(chain, contract.withdraw_credit_call(me), "withdraw", None, shown)
                return

    def _send(
        self, chain: Chain, call: Call, purpose: Purpose, case: Case | None, shown: str
    ) -> None:
        key = None if case is None else case.key
        with self.traces.span(f"send {purpose}") as span:
            if case is not None:
                span.set("epoch", case.epoch)
            if not self.wallet.send(chain.book.web3, call, purpose, case=key, shown=shown):
                span.fail()
        self._told.pop(key or "", None)

    def _report(self, chain: Chain, ended: Ended) -> None:
        voiding = None if ended.receipt is None else chain.book.voiding(ended.receipt)
        if voiding is not None:
            log.info(
                "headers_voided",
                from_epoch=voiding.from_epoch,
                to_epoch=voiding.to_epoch,
                challenger="0x" + voiding.challenger.hex(),
                reward_wei=voiding.reward_wei,
            )

    def _pause(self, key: str, records: Sequence[DemandRecord] | None) -> Pause:
        before = self._pauses.get(key)
        wait = FIRST_WAIT_SECONDS
        if before is not None and before.records == records:
            wait = min(2 * before.wait_seconds, MAX_WAIT_SECONDS)
        stuck = 0 if before is None else before.times_stuck
        self._pauses[key] = Pause(self.monotonic() + wait, wait, records, stuck)
        return self._pauses[key]

    def _tell_once(self, key: str, error: StreamrP2PError) -> None:
        if self._told.get(key) != str(error):
            log.warning("step_failed", reason=str(error), advice="it is tried again")
        self._told[key] = str(error)


def _with(case: Case, transaction: Transaction) -> Case:
    """Return the case with a transaction that ended; one that was sent again ended anew."""
    others = [one for one in case.transactions if one.nonce != transaction.nonce]
    return case.model_copy(update={"transactions": (*others, transaction)})
