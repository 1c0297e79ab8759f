"""What to do next about a header that is wrong or withheld: prove it, void it for an answer that is late, or demand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from streamrp2p.amounts import format_ether
from streamrp2p.chain import Call, CommittedHeader, DemandRecord, InsufficientFundsError
from streamrp2p.chain.data_demands import published_of
from streamrp2p.difference import Difference, text
from streamrp2p.fraud import Chunk, Demand, Evidence, Fraud, Published, find_frauds
from streamrp2p.numbers import Address
from streamrp2p_auditor.court import MAX_CANDIDATES, Court, cheapest, gas_of

DEFAULT_DEMANDS = 32
"""So many bonds may be in the demands on one header, unless the operator says otherwise."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction against a header. `gas` is None where the RPC cannot tell it for that sender."""

    kind: Literal["challenge", "expire", "demand"]
    call: Call
    proof: str
    function: str
    shows: Difference
    gas: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing can be done before `until`, in Unix seconds: an answer is owed up to then."""

    until: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """Nothing more can be done from here, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Who acts, or None; and the most wei that its demands on one header may be worth, or None for the default."""

    sender: Address | None
    max_demand_wei: int | None = None


def commit_demands(
    court: Court, committed: CommittedHeader, committed_at: int
) -> list[DemandRecord]:
    """Return every demand on one commit of a header, whoever made it."""
    named = (committed.header_hash, committed_at)
    return [
        record
        for record in court.demands.demands(from_block=committed.block)
        if (record.demanded.header_hash, record.demanded.committed_at) == named
    ]


def next_step(
    court: Court,
    evidence: Evidence,
    committed_at: int,
    records: Sequence[DemandRecord],
    *,
    now: int,
    window_ends_at: int,
    limits: Limits,
) -> Step | Waiting | Stuck:
    """Return the next step against a pending header. `records` are the demands on its commit, `now` the chain's time.

    A proof that needs no answer comes first: it is quick, and its reward is the sender's.
    """
    published = published_of(records, evidence.header.hash(), committed_at)
    frauds, demands = _found(evidence, published)
    choice = cheapest(court, frauds, limits.sender)
    if choice is not None:
        fraud = choice.fraud
        return Step(
            "challenge", choice.call, fraud.proof, fraud.function, fraud.difference, choice.gas
        )
    late = expired(court, records, now=now, sender=limits.sender)
    if late is not None:
        return late
    if demands:
        answer = _demand(court, evidence, demands, records, now, window_ends_at, limits)
        if isinstance(answer, Step) or not published.owed:
            return answer
    if published.owed:
        return Waiting(min(record.answer_by for record in records if record.state == "open"))
    if frauds:
        return Stuck(f"the chain refuses all of {len(frauds)} proofs that were tried")
    return Stuck("nothing that was published breaks a rule")


def expired(
    court: Court, records: Sequence[DemandRecord], *, now: int, sender: Address | None
) -> Step | None:
    """Return the step that voids the header of the first demand that nobody answered in time; None without such."""
    for record in records:
        if record.state != "open" or now < record.answer_by:
            continue
        call = court.demands.expire_call(record.demanded)
        gas = gas_of(court.demands.web3, call, sender)
        if gas is not None:
            shows = Difference(
                "Withheld", where(record.demanded.chunk), "answer", f"by {record.answer_by}", "none"
            )
            return Step("expire", call, "Withheld", "expire", shows, gas)
    return None


def where(chunk: Chunk) -> str:
    """Name a part of a tree."""
    return (
        f"{chunk.tree.name.lower()} tree {text(chunk.root)}, "
        f"level {chunk.level}, node {chunk.index}"
    )


def _found(evidence: Evidence, published: Published) -> tuple[list[Fraud], list[Demand]]:
    frauds: list[Fraud] = []
    demands: list[Demand] = []
    for found in _bounded(find_frauds(evidence, published)):
        if isinstance(found, Fraud):
            frauds.append(found)
        else:
            demands.append(found)
    return frauds, demands


def _bounded(found: Iterator[Fraud | Demand]) -> Iterator[Fraud | Demand]:
    """Stop when there are more proofs than are compared."""
    count = 0
    for one in found:
        yield one
        count += isinstance(one, Fraud)
        if count == MAX_CANDIDATES:
            return


def _demand(
    court: Court,
    evidence: Evidence,
    demands: Sequence[Demand],
    records: Sequence[DemandRecord],
    now: int,
    window_ends_at: int,
    limits: Limits,
) -> Step | Stuck:
    rules = court.demands.rules
    bond = rules.demand_bond_wei
    if now + 2 * rules.response_seconds > window_ends_at:
        return Stuck("too little of the challenge window is left for a demand and what follows")
    most = DEFAULT_DEMANDS * bond if limits.max_demand_wei is None else limits.max_demand_wei
    staked = bond * sum(record.demander == limits.sender for record in records)
    if staked + bond > most:
        return Stuck(
            f"another demand would put more than {format_ether(most)} at stake; allow more with --max-demand-wei"
        )
    demand = demands[0]
    call = court.demands.demand_call(evidence.header, demand)
    try:
        gas = gas_of(court.demands.web3, call, limits.sender)
    except InsufficientFundsError:
        if limits.sender is not None:
            raise
        # Nobody in particular has no ether for the bond: that says nothing.
        gas = None
    else:
        if gas is None:
            return Stuck("the chain refuses the demand; perhaps it was made meanwhile")
    return Step("demand", call, "Withheld", "demand", demand.reason, gas)
