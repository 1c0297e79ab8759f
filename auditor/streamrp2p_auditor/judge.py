"""The use case: bring an epoch's header, bundle, parent and chain facts together and let the pure core judge."""

from dataclasses import dataclass
from pathlib import Path

from streamrp2p.audit import ByteIdentical, Verdict, audit
from streamrp2p.batch_folder import acknowledged_records
from streamrp2p.bundle import decode_bundle
from streamrp2p.bundle_store import BundleStore
from streamrp2p.chain import Chain, CommittedHeader, EpochFacts
from streamrp2p.chain.rpc import Block
from streamrp2p.errors import BundleError
from streamrp2p.omission import omission_difference
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import GENESIS, Parent, header_of
from streamrp2p_auditor.errors import ParentUnusableError


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, with the facts that it rests on. `source` gave the bundle of `bundle_bytes` bytes.

    `acknowledged` counts the records that a node brought as evidence.
    """

    facts: EpochFacts
    verdict: Verdict
    source: str
    bundle_bytes: int
    acknowledged: int = 0


def judge(
    chain: Chain,
    bundles: BundleStore,
    epoch: int,
    batches: Path | None = None,
    *,
    block: Block | None = None,
) -> Judged:
    """Judge one epoch, given that its parent is right. Safe to repeat: nothing is written or sent.

    The chain is read as of `block`, or of its newest. With a node's folder of batches, also look for records that were
    acknowledged to it and are missing.
    Raises AuditError when it cannot be judged, and what the chain's wrappers raise.
    """
    facts = chain.facts(epoch, block)
    parent = GENESIS if facts.parent is None else _parent(facts.parent, bundles)
    fetched = bundles.fetch(facts.committed.header.data_hash)
    verdict = audit(
        facts.domain,
        facts.committed.header,
        fetched.data,
        parent,
        facts.pools,
        facts.committed.poster,
    )
    acknowledged: list[SessionRecord] = []
    if batches is not None:
        poster = facts.committed.poster
        promised = acknowledged_records(batches, epoch, facts.domain, poster)
        acknowledged = [one.record for one in promised]
    if isinstance(verdict, ByteIdentical):
        verdict = omission_difference(verdict.settlement.bundle, acknowledged) or verdict
    return Judged(facts, verdict, fetched.source, len(fetched.data), len(acknowledged))


def _parent(committed: CommittedHeader, bundles: BundleStore) -> Parent:
    header = committed.header
    try:
        bundle = decode_bundle(bundles.fetch(header.data_hash).data)
    except BundleError as error:
        raise ParentUnusableError(header.epoch, str(error)) from error
    # The hash names the bytes; the roots must be theirs too, or the parent's state is not what was committed.
    if header_of(bundle) != header:
        raise ParentUnusableError(header.epoch, "its bundle does not lead to its header")
    return Parent.of(header, bundle)
