"""Whether each adversary was caught, and by which rule."""

from collections import Counter

from streamrp2p.numbers import Address, SessionId
from streamrp2p.receipt import SessionRecord
from streamrp2p.verify import Code
from streamrp2p_demo.checks.outcome import Failed, Outcome, Passed, listed, rule_name
from streamrp2p_demo.facts import Facts, ViewerFacts

CORRUPT_OBJECT = "corrupt-object"
"""The reference viewer's reason for leaving a relay whose bytes have another SHA-256."""


def over_report_is_rejected(facts: Facts) -> Outcome:
    """Demand that the poster publicly rejected the inflated receipt by a rule, and paid no more than the honest one."""
    report = facts.over_report
    if report is None:
        return Failed("the over-reporting viewer sent no inflated receipt")
    rejection = next(
        (
            signed
            for epoch in facts.epochs
            for signed in epoch.bundle.rejections
            if (signed.session_id, signed.sequence) == (report.session_id, report.inflated_sequence)
        ),
        None,
    )
    if rejection is None:
        return Failed(
            f"no bundle holds a rejection of the receipt of {report.inflated_bytes:,} bytes"
        )
    if rejection.code not in (Code.OVER_RATE, Code.OVER_CREDIT):
        return Failed(f"rejected by {rule_name(rejection.code)}, not OVER_RATE or OVER_CREDIT")
    if not rejection.is_signed_by(facts.poster, facts.domain):
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
        rule_name(rejection.code),
    )


def corruption_earns_nothing(facts: Facts) -> Outcome:
    """Demand that viewers refused corrupt bytes by their hash and left the relay, and that no receipt covers them."""
    corrupt: Counter[str] = Counter()
    honest: Counter[str] = Counter()
    for served in facts.corruption.served:
        (corrupt if served.is_corrupt else honest)[served.session_id] += served.length_bytes
    if not corrupt:
        return Failed("the relay served no corrupt object")
    node = facts.corruption.node
    refused = [viewer for viewer in facts.viewers if _refused(viewer, node)]
    if not refused:
        return Failed("no viewer says that it refused an object of the corrupting relay and left")
    stranded = [viewer.name for viewer in refused if not _watched_elsewhere(viewer, node)]
    if stranded:
        return Failed(f"left the corrupting relay, but got nothing elsewhere: {listed(stranded)}")
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
                f"the {what} submission was not acknowledged: {listed(map(rule_name, answer.rejections))}"
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


def _record_of(facts: Facts, session_id: SessionId) -> SessionRecord | None:
    records = (record for epoch in facts.epochs for record in epoch.records())
    return next((record for record in records if record.session_id == session_id), None)


def _refused(viewer: ViewerFacts, node: Address) -> bool:
    source = viewer.source(node)
    return source is not None and source.objects_refused > 0 and CORRUPT_OBJECT in source.departures


def _watched_elsewhere(viewer: ViewerFacts, node: Address) -> bool:
    return any(
        source.bytes_delivered > 0
        for source in viewer.sources
        if source.node is not None and source.node != node
    )
