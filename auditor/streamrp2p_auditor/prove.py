"""The use case: judge one epoch and make the transaction that acts against it, for somebody else to sign."""

from dataclasses import dataclass

from streamrp2p.audit import ByteIdentical
from streamrp2p.bundle_store import BundleStore
from streamrp2p.chain import Chain, DemandRecord, EpochFacts
from streamrp2p.chain.unsigned import UnsignedTransaction
from streamrp2p.errors import BundleUnavailableError, StreamrP2PError
from streamrp2p.numbers import Address
from streamrp2p_auditor.court import Court
from streamrp2p_auditor.errors import (
    AnswerOwedError,
    AuditError,
    CannotProveError,
    FinalEpochError,
    NothingExpiredError,
    ParentUnusableError,
)
from streamrp2p_auditor.followed_book import FollowedBook
from streamrp2p_auditor.gather import gather
from streamrp2p_auditor.heads import Head, newest_head
from streamrp2p_auditor.judge import judge
from streamrp2p_auditor.report import Outcome
from streamrp2p_auditor.run import Sources
from streamrp2p_auditor.steps import (
    Limits,
    Step,
    Waiting,
    commit_demands,
    expired,
    next_step,
)


@dataclass(frozen=True, slots=True)
class ProveOptions:
    """What the operator asked for."""

    sender: Address | None = None
    """Who will send it, if that is known."""
    demand: bool = False
    """Demand a bundle that no source has."""
    expire: bool = False
    """Void the header for a demand that nobody answered."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transaction that is ready to be signed, and what it brings: half of the poster's bond, in wei."""

    transaction: UnsignedTransaction
    step: Step
    reward_wei: int
    facts: EpochFacts


@dataclass(frozen=True, slots=True)
class Proof:
    """The verdict, with the transaction where there is one to send, or why there is none."""

    outcome: Outcome
    prepared: Prepared | None = None
    obstacle: AuditError | None = None


def prove(sources: Sources, epoch: int, options: ProveOptions) -> Proof:
    """Judge an epoch and prepare the next step against its header. Nothing is sent or written.

    Raises what the chain's wrappers raise.
    """
    opened = sources.prepare(FollowedBook)
    chain = opened.connect()
    head = newest_head(chain.book.web3)
    outcome = _judged(chain, opened.bundles, sources, epoch, head)
    if isinstance(outcome, StreamrP2PError):
        is_missing = isinstance(outcome, BundleUnavailableError | ParentUnusableError)
        if not is_missing or not (options.demand or options.expire):
            return Proof(outcome)
    elif isinstance(outcome.verdict, ByteIdentical):
        return Proof(outcome)
    facts = chain.facts(epoch, head.number)
    try:
        step = _step(chain, opened.bundles, sources, facts, head, options)
    except AuditError as obstacle:
        return Proof(outcome, obstacle=obstacle)
    return Proof(outcome, _prepared(chain, facts, step, options.sender))


def _judged(
    chain: Chain, bundles: BundleStore, sources: Sources, epoch: int, head: Head
) -> Outcome:
    try:
        return judge(chain, bundles, epoch, sources.batches, block=head.number)
    except StreamrP2PError as error:
        return error


def _step(
    chain: Chain,
    bundles: BundleStore,
    sources: Sources,
    facts: EpochFacts,
    head: Head,
    options: ProveOptions,
) -> Step:
    """Return the next step; raises CannotProveError, AnswerOwedError, NothingExpiredError or NoCourtError."""
    epoch = facts.status.epoch
    committed_at, ends_at = facts.status.committed_at, facts.status.challenge_ends_at
    if committed_at is None or ends_at is None:
        raise FinalEpochError(epoch)
    court = Court.of(chain)
    records = commit_demands(court, facts.committed, committed_at)
    if options.expire:
        return _expired(court, records, epoch, head, options.sender)
    found = next_step(
        court,
        gather(facts, bundles, sources.batches),
        committed_at,
        records,
        now=head.time,
        window_ends_at=ends_at,
        limits=Limits(options.sender),
    )
    if isinstance(found, Waiting):
        raise AnswerOwedError(epoch, found.until)
    if not isinstance(found, Step):
        raise CannotProveError(epoch, found.reason)
    return found


def _expired(
    court: Court, records: list[DemandRecord], epoch: int, head: Head, sender: Address | None
) -> Step:
    step = expired(court, records, now=head.time, sender=sender)
    if step is not None:
        return step
    owed = [record.answer_by for record in records if record.state == "open"]
    if owed:
        raise AnswerOwedError(epoch, min(owed))
    raise NothingExpiredError(epoch)


def _prepared(chain: Chain, facts: EpochFacts, step: Step, sender: Address | None) -> Prepared:
    transaction = UnsignedTransaction(
        facts.domain.chain_id,
        step.call,
        step.proof,
        step.function,
        facts.committed.header.epoch,
        facts.committed.header_hash,
        step.shows,
        sender,
        step.gas,
    )
    return Prepared(transaction, step, chain.book.state().bond_wei // 2, facts)
