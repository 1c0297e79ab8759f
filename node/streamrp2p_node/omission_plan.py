"""What a committed epoch leaves out of that which its poster acknowledged to a node, and what that is worth."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamrp2p.allocation import allocate
from streamrp2p.batch_folder import acknowledged_in, answer_files
from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.bundle_store import BundleStore
from streamrp2p.chain import Chain, EpochFacts
from streamrp2p.errors import BundleError, EvidenceError, OtherPosterError, SettlementError
from streamrp2p.fraud import Acknowledged, Evidence, Fraud, find_omissions
from streamrp2p.numbers import Address
from streamrp2p.omission import LeftOut, left_out
from streamrp2p.settlement import PoolInput, header_of
from streamrp2p_node.errors import OmissionError


@dataclass(frozen=True, slots=True)
class Loss:
    """What one node lost in one pool: sessions, weighted bytes, and the reward in base units, None if not known."""

    pool_id: int
    node: Address
    sessions: int
    weight: int
    reward: int | None


@dataclass(frozen=True, slots=True)
class Examined:
    """One epoch, looked through. `fraud` is the proof, None where nothing is left out or the header is final.

    `acknowledged` counts records; `foreign` are answers that bind another poster, `damaged` files that are none.
    """

    facts: EpochFacts
    acknowledged: int
    foreign: tuple[OtherPosterError, ...] = ()
    damaged: tuple[EvidenceError, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    losses: tuple[Loss, ...] = ()
    fraud: Fraud | None = None


def examine(chain: Chain, bundles: BundleStore, folder: Path, epoch: int) -> Examined:
    """Compare an epoch with a node's folder of batches. Safe to repeat: nothing is written or sent.

    The bundle is fetched only if something was acknowledged. Raises OmissionError when the bundle does not lead to the
    header, BundleUnavailableError, and what the chain's wrappers raise.
    """
    facts = chain.facts(epoch)
    acknowledged: list[Acknowledged] = []
    foreign: list[OtherPosterError] = []
    damaged: list[EvidenceError] = []
    for file in answer_files(folder, epoch):
        # One bad file must not hide what the others show.
        try:
            acknowledged += acknowledged_in(file, epoch, facts.domain, facts.committed.poster)
        except OtherPosterError as error:
            foreign.append(error)
        except EvidenceError as error:
            damaged.append(error)
    examined = Examined(facts, len(acknowledged), tuple(foreign), tuple(damaged))
    if not acknowledged:
        return examined
    bundle = _bundle(facts, bundles)
    missing = tuple(left_out(bundle, [one.record for one in acknowledged]))
    if not missing:
        return examined
    losses = tuple(_losses(bundle, facts.pools, missing))
    fraud = None
    if facts.status.state == "pending":
        fraud = _proof(facts, bundle, acknowledged, missing)
    return replace(examined, left_out=missing, losses=losses, fraud=fraud)


def lost_reward(bundle: Bundle, pool: PoolInput, node: Address, weight: int) -> int | None:
    """Return what a node would have earned on top with so much more weight, if all else in the epoch is right.

    None where the pool's rows cannot be what the rule gives.
    """
    for row, node_rows in bundle.by_pool():
        if row.pool_id != pool.pool_id:
            continue
        weights = {one.node: one.weight for one in node_rows}
        earned = {one.node: one.reward for one in node_rows}.get(node, 0)
        weights[node] = weights.get(node, 0) + weight
        previous = row.cumulative_spend - row.spend
        try:
            allocation = allocate(list(weights.values()), pool.terms, pool.funded, previous)
        except SettlementError:
            return None
        return max(dict(zip(weights, allocation.rewards, strict=True))[node] - earned, 0)
    return None


def _bundle(facts: EpochFacts, bundles: BundleStore) -> Bundle:
    header = facts.committed.header
    try:
        bundle = decode_bundle(bundles.fetch(header.data_hash).data)
    except BundleError as error:
        raise OmissionError(_wrong(header.epoch, str(error))) from error
    if header_of(bundle) != header:
        # Its leaves are not the committed ones, so nothing follows from what it lacks.
        raise OmissionError(_wrong(header.epoch, "it does not lead to the header"))
    return bundle


def _wrong(epoch: int, reason: str) -> str:
    return (
        f"the bundle of epoch {epoch} is wrong in itself ({reason}); "
        f"`streamrp2p audit prove {epoch}` proves that"
    )


def _losses(
    bundle: Bundle, pools: Iterable[PoolInput], missing: Sequence[LeftOut]
) -> Iterator[Loss]:
    inputs = {pool.pool_id: pool for pool in pools}
    places = {(one.record.ticket.pool_id, one.record.ticket.node) for one in missing}
    for pool_id, node in sorted(places):
        weights = [
            one.weight
            for one in missing
            if (one.record.ticket.pool_id, one.record.ticket.node) == (pool_id, node)
        ]
        total, pool = sum(weights), inputs.get(pool_id)
        reward = None if pool is None else lost_reward(bundle, pool, node, total)
        yield Loss(pool_id, node, len(weights), total, reward)


def _proof(
    facts: EpochFacts,
    bundle: Bundle,
    acknowledged: Iterable[Acknowledged],
    missing: Sequence[LeftOut],
) -> Fraud:
    """Return the proof of one record that is missing: it voids the whole header.

    Raises OmissionError for records whose pool has no row at all, which is another fraud.
    """
    records = {one.record.encode() for one in missing}
    evidence = Evidence(
        facts.domain,
        facts.committed.header,
        facts.committed.poster,
        facts.pools,
        bundle,
        None,
        None,
        tuple(one for one in acknowledged if one.record.encode() in records),
    )
    fraud = next(find_omissions(evidence), None)
    if fraud is None:
        epoch = facts.committed.header.epoch
        raise OmissionError(_wrong(epoch, "an acknowledged session's pool has no row there"))
    return fraud
