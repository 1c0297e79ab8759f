"""Each claim that the demo makes, as a pure function from what was seen to Passed or Failed."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from streamrp2p.errors import SignatureError
from streamrp2p.numbers import Address, SessionId
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import SignedRejection
from streamrp2p.signatures import check_signer
from streamrp2p.typed_data import Rejection
from streamrp2p.verify import Code
from streamrp2p_demo.facts import EpochFacts, Facts, ViewerFacts

CORRUPT_SEGMENT = "corrupt-segment"
"""The reference viewer's reason for leaving a relay whose bytes have another SHA-256."""


@dataclass(frozen=True, slots=True)
class Passed:
    """The claim holds; `statement` says by what numbers, `rule` by which rule an adversary was caught."""

    statement: str
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The claim does not hold; `statement` says what was seen instead."""

    statement: str


Outcome = Passed | Failed


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check's name and outcome."""

    name: str
    outcome: Outcome

    @property
    def passed(self) -> bool:
        """Whether the claim holds."""
        return isinstance(self.outcome, Passed)


def run_checks(facts: Facts) -> list[CheckResult]:
    """Run every check, in the order of the report."""
    return [CheckResult(name, check(facts)) for name, check in CHECKS.items()]


def epochs_are_final(facts: Facts) -> Outcome:
    """Demand that as many epochs as were asked for are final and paid for sessions."""
    final = [epoch.epoch for epoch in facts.epochs if epoch.is_final and epoch.spend() > 0]
    wanted = facts.epochs_wanted
    if len(final) < wanted:
        return Failed(f"{len(final)} epochs with sessions are final, wanted {wanted}: {final}")
    return Passed(f"{len(final)} epochs with sessions are committed and final: {_listed(final)}")


def audits_are_identical(facts: Facts) -> Outcome:
    """Demand that the auditor calls every committed epoch byte-identical."""
    wrong = [
        f"epoch {epoch.epoch}: exit {epoch.audit_exit_code}, {epoch.audit_verdict}"
        for epoch in facts.epochs
        if epoch.audit_exit_code != 0
    ]
    if wrong or not facts.epochs:
        return Failed("; ".join(wrong) or "no epoch was committed")
    return Passed(f"{len(facts.epochs)} of {len(facts.epochs)} epochs audited byte-identical")


def viewers_watched(facts: Facts) -> Outcome:
    """Demand that every honest viewer ended well and got media in time."""
    bad = [
        f"{viewer.name} (exit {viewer.exit_code}, {viewer.bytes_on_time} bytes on time)"
        for viewer in facts.viewers
        if viewer.exit_code != 0 or viewer.bytes_on_time == 0
    ]
    if bad or not facts.viewers:
        return Failed("did not watch: " + (_listed(bad) or "there were no viewers"))
    delivered = sum(viewer.bytes_delivered for viewer in facts.viewers)
    on_time = sum(viewer.bytes_on_time for viewer in facts.viewers)
    return Passed(
        f"{len(facts.viewers)} viewers got {delivered:,} verified bytes, "
        f"{100 * on_time / delivered:.1f} % of them on time"
    )


def only_verified_bytes_are_paid(facts: Facts) -> Outcome:
    """Demand that no session of an honest viewer is paid more bytes than the viewer verified."""
    verified = {
        session_id: verified_bytes
        for viewer in facts.viewers
        for source in viewer.sources
        if source.node is not None
        for session_id, verified_bytes in source.sessions.items()
    }
    paid = {
        record.session_id: record.receipt.bytes_delivered
        for epoch in facts.epochs
        for record in epoch.records()
        if record.session_id in verified
    }
    for session_id, paid_bytes in paid.items():
        if paid_bytes > verified[session_id]:
            return Failed(
                f"session 0x{session_id.hex()} was paid {paid_bytes:,} bytes, "
                f"its viewer verified {verified[session_id]:,}"
            )
    if not paid:
        return Failed("no session of an honest viewer was paid")
    total, expected = sum(paid.values()), sum(verified.values())
    return Passed(
        f"{total:,} of {expected:,} verified bytes paid ({100 * total / expected:.2f} %) "
        f"in {len(paid)} sessions, none of them beyond what its viewer verified"
    )


def over_report_is_rejected(facts: Facts) -> Outcome:
    """Demand that the poster publicly rejected the inflated receipt by a rule, and paid no more than the honest one."""
    report = facts.over_report
    if report is None:
        return Failed("the over-reporting viewer sent no inflated receipt")
    rejection = next(
        (
            signed
            for signed in _rejections(facts)
            if (signed.session_id, signed.sequence) == (report.session_id, report.inflated_sequence)
        ),
        None,
    )
    if rejection is None:
        return Failed(
            f"no bundle holds a rejection of the receipt of {report.inflated_bytes:,} bytes"
        )
    if rejection.code not in (Code.OVER_RATE, Code.OVER_CREDIT):
        return Failed(f"rejected by {_rule(rejection.code)}, not OVER_RATE or OVER_CREDIT")
    if not _is_signed_by_poster(facts, rejection):
        return Failed("the rejection is not signed by the poster")
    paid = _record_of(facts, report.session_id)
    if paid is not None and paid.receipt.bytes_delivered > report.honest_bytes:
        return Failed(
            f"paid for {paid.receipt.bytes_delivered:,} bytes, {report.honest_bytes:,} were sent"
        )
    counted = paid.receipt.bytes_delivered if paid else 0
    return Passed(
        f"the poster signed a rejection: {report.inflated_bytes:,} bytes claimed, {counted:,} paid, "
        f"{report.honest_bytes:,} were delivered",
        _rule(rejection.code),
    )


def corruption_earns_nothing(facts: Facts) -> Outcome:
    """Demand that viewers refused corrupt bytes by their hash and left the relay, and that no receipt covers them."""
    corrupt: Counter[str] = Counter()
    honest: Counter[str] = Counter()
    for segment in facts.corruption.served:
        (corrupt if segment.is_corrupt else honest)[segment.session_id] += segment.length_bytes
    if not corrupt:
        return Failed("the relay served no corrupt segment")
    node = facts.corruption.node
    refused = [viewer for viewer in facts.viewers if _refused(viewer, node)]
    if not refused:
        return Failed("no viewer says that it refused a segment of the corrupting relay and left")
    stranded = [viewer.name for viewer in refused if not _watched_elsewhere(viewer, node)]
    if stranded:
        return Failed(f"left the corrupting relay, but got nothing elsewhere: {_listed(stranded)}")
    for session_id in corrupt:
        record = _record_of(facts, SessionId(bytes.fromhex(session_id.removeprefix("0x"))))
        counted = record.receipt.bytes_delivered if record else 0
        if counted > honest[session_id]:
            return Failed(
                f"session {session_id} was paid {counted:,} bytes, of which only {honest[session_id]:,} were good"
            )
    return Passed(
        f"{len(refused)} viewers refused and left, "
        f"0 of {corrupt.total():,} corrupt bytes in {len(corrupt)} sessions were paid",
        "SHA-256 in the origin's signed playlist",
    )


def replay_pays_once(facts: Facts) -> Outcome:
    """Demand that a record submitted again counts once, and that a batch sent again gets the same answer."""
    replay = facts.replay
    if replay is None:
        return Failed("the double-submitting relay submitted nothing")
    for what, answer in (("first", replay.first), ("second", replay.second)):
        if answer.accepted == 0:
            return Failed(
                f"the {what} submission was not acknowledged: {_listed(map(_rule, answer.rejections))}"
            )
    if replay.repeated.encoded != replay.second.encoded:
        return Failed("the same batch, sent again, got another answer")
    record = SessionRecord.decode(replay.record)
    copies = [
        found
        for epoch in facts.epochs
        for found in epoch.records()
        if found.session_id == record.session_id
    ]
    if len(copies) != 1:
        return Failed(f"the session stands {len(copies)} times in the bundles, expected once")
    if copies[0].receipt.sequence == record.receipt.sequence and copies[0].weight != record.weight:
        return Failed(f"the session weighs {copies[0].weight:,}, its record {record.weight:,}")
    return Passed(
        f"acknowledged in batches {replay.first.batch_number} and {replay.second.batch_number}, "
        f"counted once with weight {copies[0].weight:,}; the identical batch got the identical answer",
        "the ledger: the same record again changes nothing",
    )


def crash_loses_nothing(facts: Facts) -> Outcome:
    """Demand that every record acknowledged to the killed relay is in its epoch's bundle, or a newer one."""
    crash = facts.crash
    if crash.restarted_in_epoch != crash.epoch:
        return Failed(
            f"killed in epoch {crash.epoch}, back only in epoch {crash.restarted_in_epoch}"
        )
    if crash.promises_before == 0:
        return Failed(f"nothing had been acknowledged to {crash.name} before it was killed")
    committed = {
        (epoch.epoch, record.session_id): record.receipt.sequence
        for epoch in facts.epochs
        for record in epoch.records()
    }
    lost = [
        promise
        for promise in crash.promises
        if committed.get((promise.epoch, promise.session_id), -1) < promise.sequence
    ]
    if lost:
        first = lost[0]
        return Failed(
            f"{len(lost)} of {len(crash.promises)} acknowledged records are lost; the first is session "
            f"0x{first.session_id.hex()}, sequence {first.sequence}, in epoch {first.epoch}"
        )
    return Passed(
        f"{crash.name} was killed with SIGKILL in epoch {crash.epoch} and came back; all "
        f"{len(crash.promises)} acknowledged records ({crash.promises_before} from before) are in the bundles"
    )


def claims_equal_audit(facts: Facts) -> Outcome:
    """Demand that each node's balance on chain is what the audited claims tree says, to the unit."""
    rewards = rewards_of(facts)
    for node in facts.nodes:
        reward = rewards.get(node.node, 0)
        if node.claim_exit_code != 0:
            return Failed(f"{node.name} could not claim (exit {node.claim_exit_code})")
        if not node.balance == node.claimed == reward:
            return Failed(
                f"{node.name} holds {node.balance}, the contract says it claimed {node.claimed}, "
                f"the audit says {reward}"
            )
    if not facts.nodes or not any(node.balance for node in facts.nodes):
        return Failed("no node was paid anything")
    total = sum(node.balance for node in facts.nodes)
    return Passed(
        f"{len(facts.nodes)} nodes hold {total} base units, to the unit what the audit says"
    )


def pool_is_balanced(facts: Facts) -> Outcome:
    """Demand that the pool was funded with what it paid and what it still holds."""
    pool = facts.pool
    numbers = f"funded {pool.funded}, paid {pool.paid}, remaining {pool.remaining}"
    if pool.funded != pool.paid + pool.remaining:
        return Failed(f"{numbers}: they do not add up")
    if pool.contract_balance != pool.remaining:
        return Failed(f"{numbers}, but the contract holds {pool.contract_balance}")
    claimed = sum(node.claimed for node in facts.nodes)
    if pool.paid != claimed:
        return Failed(f"{numbers}, but the nodes claimed {claimed}")
    return Passed(numbers)


def nothing_is_left(facts: Facts) -> Outcome:
    """Demand that no process that the demo started still runs."""
    if facts.left_behind:
        return Failed(f"still running: {_listed(facts.left_behind)}")
    return Passed("every process that was started has ended")


CHECKS: dict[str, Callable[[Facts], Outcome]] = {
    "viewers": viewers_watched,
    "receipts": only_verified_bytes_are_paid,
    "over-reporting viewer": over_report_is_rejected,
    "corrupting relay": corruption_earns_nothing,
    "double-submitting relay": replay_pays_once,
    "killed relay": crash_loses_nothing,
    "epochs": epochs_are_final,
    "audit": audits_are_identical,
    "claims": claims_equal_audit,
    "pool": pool_is_balanced,
    "processes": nothing_is_left,
}
"""Every check by the name that the report gives it."""


def rewards_of(facts: Facts) -> Mapping[Address, int]:
    """Return each account's cumulative reward by the audit of the newest final epoch."""
    final = [epoch for epoch in facts.epochs if epoch.is_final]
    return max(final, key=lambda epoch: epoch.epoch).audited_rewards if final else {}


def _rejections(facts: Facts) -> Iterator[SignedRejection]:
    for epoch in facts.epochs:
        yield from epoch.bundle.rejections


def _is_signed_by_poster(facts: Facts, signed: SignedRejection) -> bool:
    message = Rejection(signed.session_id, signed.sequence, signed.code, signed.received_at)
    try:
        check_signer(message.digest(facts.domain), signed.signature, facts.poster, "the poster")
    except SignatureError:
        return False
    return True


def _record_of(facts: Facts, session_id: SessionId) -> SessionRecord | None:
    epochs: tuple[EpochFacts, ...] = facts.epochs
    return next(
        (
            record
            for epoch in epochs
            for record in epoch.records()
            if record.session_id == session_id
        ),
        None,
    )


def _refused(viewer: ViewerFacts, node: Address) -> bool:
    source = viewer.source(node)
    return (
        source is not None and source.segments_refused > 0 and CORRUPT_SEGMENT in source.departures
    )


def _watched_elsewhere(viewer: ViewerFacts, node: Address) -> bool:
    return any(
        source.bytes_delivered > 0
        for source in viewer.sources
        if source.node is not None and source.node != node
    )


def _rule(code: int) -> str:
    return f"{Code(code).name} ({code})" if code in list(Code) else f"code {code}"


def _listed(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))
