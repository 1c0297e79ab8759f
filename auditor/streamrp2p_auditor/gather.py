"""Gathers what a proof may be built from: the header, what was published of it and of its parent, the chain's facts."""

from pathlib import Path

import structlog

from streamrp2p.batch_folder import acknowledged_records
from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.bundle_store import BundleStore
from streamrp2p.chain import EpochFacts
from streamrp2p.errors import BundleError, BundleUnavailableError, EvidenceError
from streamrp2p.fraud import Acknowledged, Evidence
from streamrp2p.header import EpochHeader

log = structlog.get_logger("audit")


def gather(facts: EpochFacts, bundles: BundleStore, batches: Path | None = None) -> Evidence:
    """Return the evidence on an epoch; a bundle that nobody has or can read is none."""
    header, parent = facts.committed.header, facts.parent
    return Evidence(
        domain=facts.domain,
        header=header,
        poster=facts.committed.poster,
        pools=facts.pools,
        bundle=_bundle(header, bundles),
        parent_header=None if parent is None else parent.header,
        parent_bundle=None if parent is None else _bundle(parent.header, bundles),
        acknowledged=_acknowledged(facts, batches),
    )


def _bundle(header: EpochHeader, bundles: BundleStore) -> Bundle | None:
    try:
        return decode_bundle(bundles.fetch(header.data_hash).data)
    except (BundleError, BundleUnavailableError):
        return None
    except Exception:
        # A bug. A bundle that finds one must shield neither its header nor the next.
        log.exception("bundle_crashed", epoch=header.epoch)
        return None


def _acknowledged(facts: EpochFacts, batches: Path | None) -> tuple[Acknowledged, ...]:
    if batches is None:
        return ()
    committed = facts.committed
    try:
        found = acknowledged_records(
            batches, committed.header.epoch, facts.domain, committed.poster
        )
    except EvidenceError:
        # A damaged folder keeps the epoch from a verdict, but not what else is provable from being proved.
        return ()
    return tuple(found)
