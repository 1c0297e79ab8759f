"""A batch's records, judged in their order: pure, by `verify` and `ledger.merge` of the protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from streamrp2p import api
from streamrp2p.evidence import Facts
from streamrp2p.ledger import merge
from streamrp2p.numbers import SessionId, Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import SignedRejection
from streamrp2p.refusal import facts_of
from streamrp2p.suspicion import Suspicion, most_streamed_bytes
from streamrp2p.verify import Checked, Code, Intake, Rejected, elapsed_seconds, verify

REASONS: Mapping[Code, str] = {
    Code.UNKNOWN_POOL: "The chain knows no such pool. Check the ticket's pool id and chain.",
    Code.POOL_CLOSED: "The pool is not open in the ticket's epoch. Stop serving it.",
    Code.WRONG_EPOCH: "The ticket's epoch has not begun, or is not the submission's. Sort records by their epoch.",
    Code.TICKET_EXPIRED: "The receipt was signed outside the ticket's validity. Let the viewer renew its session; "
    "check the viewer's clock.",
    Code.BAD_TICKET_SIGNATURE: "The ticket is not signed by the pool's ticket signer of that epoch. Check tickets "
    "before serving.",
    Code.BAD_RECEIPT_SIGNATURE: "The receipt is not signed by the ticket's viewer. Stop serving this session.",
    Code.HIGH_S: "A signature has a high s. Its signer must produce the low form.",
    Code.OVER_CREDIT: "The receipt claims more bytes than the ticket allows. Let the viewer renew its session "
    "in time.",
    Code.OVER_RATE: "The receipt claims more bytes than the stream can have delivered in that time.",
    Code.NOT_MONOTONE: "A higher sequence has fewer bytes than a record that was acknowledged before.",
    Code.NODE_NOT_REGISTERED: "The node has no accepted registration. Register it, then submit again.",
    Code.INTAKE_CLOSED: "Intake of the ticket's epoch is over. Submit sooner after the epoch's end.",
    Code.WRONG_NODE: "The ticket names another node than the one that submits.",
    Code.MALFORMED: "More bytes are said to be on time than were delivered.",
    Code.TOO_MANY_POOLS: "The node already earns from 256 pools, the most that a claim can hold.",
    Code.SUSPECT: "The operator holds the node's records back; the evidence says why.",
    Code.PROBE_CORRUPT: "The coordinator's own viewers got bytes from the node that are not the stream's. Check disk, "
    "memory and what stands before the node.",
    Code.PROBE_UNSERVED: "The coordinator's own viewers got nothing from the node while it handed in receipts of "
    "others. Check that everybody reaches it.",
    Code.OVER_BITRATE: "The receipt claims more bytes than the stream itself had in that time. Submit it later.",
    Code.CONCENTRATION: "The node's operator has far more of the pool's weight than of its tickets.",
    Code.CLUSTER: "The node shares payout account or network with others.",
    Code.STEERED: "Viewers of several networks throw other nodes' tickets away until they get this node's.",
    Code.ONE_NETWORK: "A large part of the node's viewers is one network, which throws other nodes' tickets away.",
}
"""What each code means to a person, and what to do."""
FRAUD_DETECTION = "docs/fraud-detection.md"
"""Where each code of policy has a heading: its rule, its odds, and how to appeal."""


def reason_of(code: Code) -> str:
    """Return the text that goes with a rejection; of policy's codes it leads to their documentation."""
    reason = REASONS[code]
    if code < Code.SUSPECT:
        return reason
    return f"{reason} See {FRAUD_DETECTION}#{code.name.lower()}; to object: streamrp2p node appeal."


@dataclass(frozen=True, slots=True)
class Refusal:
    """A signed rejection with its evidence, which is signed apart; both absent in those of before there was one."""

    signed: SignedRejection
    evidence: Facts | None
    evidence_signature: Signature | None


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What policy knows when a batch comes: the suspicions against its node by pool (None: in all), streams' rates."""

    suspicions: Mapping[int | None, Suspicion] = field(default_factory=dict)
    stream_rates: Mapping[int, int] = field(default_factory=dict)
    """Bytes per second of pools whose streams were measured."""

    def refusal(self, record: SessionRecord, now: int) -> tuple[Code, Facts] | None:
        """Return why policy refuses a record that is new and breaks no rule, or None."""
        ticket = record.ticket
        suspicion = self.suspicions.get(ticket.pool_id, self.suspicions.get(None))
        if suspicion is not None:
            return suspicion.code, suspicion.evidence
        rate = self.stream_rates.get(ticket.pool_id)
        if rate is None:
            return None
        elapsed = elapsed_seconds(ticket, now)
        most = most_streamed_bytes(elapsed, rate)
        if record.receipt.bytes_delivered <= most:
            return None
        return Code.OVER_BITRATE, {
            "bytesDelivered": record.receipt.bytes_delivered,
            "allowedBytes": most,
            "elapsedSeconds": elapsed,
            "streamBytesPerSecond": rate,
        }


NO_POLICY = PolicyFacts()


def wire_rejection(refusal: Refusal) -> api.SignedRejection:
    """Return the wire form of a signed rejection, with its reason."""
    signed = refusal.signed
    return api.SignedRejection(
        rejection=api.Rejection(
            session_id=signed.session_id,
            sequence=signed.sequence,
            code=signed.code,
            received_at=signed.received_at,
        ),
        signature=signed.signature,
        reason=reason_of(Code(signed.code)),
        evidence=None if refusal.evidence is None else dict(refusal.evidence),
        evidence_signature=refusal.evidence_signature,
    )


@dataclass(slots=True)
class Judgement:
    """What becomes of a batch. `accepted` are positions in the batch; `rejected` the others, in order."""

    accepted: list[int] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    changed: dict[SessionId, Checked] = field(default_factory=dict)
    evidence: list[Checked] = field(default_factory=list)
    new_earning_pools: set[int] = field(default_factory=set)


def judge(
    records: Sequence[SessionRecord],
    intake: Intake,
    known: Mapping[SessionId, Checked],
    earning_pools: set[int],
    policy: PolicyFacts = NO_POLICY,
) -> Judgement:
    """Judge records one after the other, each in the light of those before it.

    Policy judges last, and only what would change something: what was acknowledged stays so.

    `earning_pools` is the very set that `intake` holds: it grows with the pools of accepted records.
    """
    judgement = Judgement()
    newest = dict(known)
    for position, record in enumerate(records):
        before = newest.get(record.session_id)
        verdict = verify(record, intake, before)
        merged = verdict if isinstance(verdict, Rejected) else merge(before, verdict)
        if isinstance(merged, Rejected):
            evidence = facts_of(merged.code, record, intake, before)
            judgement.rejected.append(replace(merged, evidence=evidence))
            continue
        refused = policy.refusal(record, intake.now) if merged.kept.record is record else None
        if refused is not None:
            name = record.session_id, record.receipt.sequence
            judgement.rejected.append(Rejected(*name, *refused))
            continue
        judgement.accepted.append(position)
        if merged.kept is not before:
            newest[record.session_id] = judgement.changed[record.session_id] = merged.kept
        if merged.evidence is not None:
            judgement.evidence.append(merged.evidence)
        pool_id = record.ticket.pool_id
        if record.weight > 0 and pool_id not in earning_pools:
            earning_pools.add(pool_id)
            judgement.new_earning_pools.add(pool_id)
    return judgement
