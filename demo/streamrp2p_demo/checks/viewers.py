"""What honest viewers got, and whether just that was paid."""

from collections.abc import Iterator, Mapping

from streamrp2p.numbers import SessionId
from streamrp2p.receipt import SessionRecord
from streamrp2p_demo.checks.outcome import Failed, Outcome, Passed, listed
from streamrp2p_demo.facts import Facts, ViewerFacts


def viewers_watched(facts: Facts) -> Outcome:
    """Demand that every honest viewer ended well and got media in time."""
    bad = [
        f"{viewer.name} (exit {viewer.exit_code}, {viewer.bytes_on_time} bytes on time)"
        for viewer in facts.viewers
        if viewer.exit_code != 0 or viewer.bytes_on_time == 0
    ]
    if bad or not facts.viewers:
        return Failed("did not watch: " + (listed(bad) or "there were no viewers"))
    delivered = sum(viewer.bytes_delivered for viewer in facts.viewers)
    on_time = sum(viewer.bytes_on_time for viewer in facts.viewers)
    return Passed(
        f"{len(facts.viewers)} viewers got {delivered:,} verified bytes, "
        f"{100 * on_time / delivered:.1f} % of them on time"
    )


def receipts_are_paid(facts: Facts) -> Outcome:
    """Demand that every receipt that a relay took is paid, and that none covers more bytes than its viewer verified."""
    paid = {record.session_id: record for epoch in facts.epochs for record in epoch.records()}
    sessions = [
        (session, paid[session_id])
        for viewer in facts.viewers
        for source in viewer.sources
        for session_id, session in source.sessions.items()
        if session_id in paid
    ]
    for verified_bytes, record in sessions:
        if record.receipt.bytes_delivered > verified_bytes:
            return Failed(
                f"session 0x{record.session_id.hex()} was paid {record.receipt.bytes_delivered:,} bytes, "
                f"its viewer verified {verified_bytes:,}"
            )
    if not sessions:
        return Failed("no session of an honest viewer was paid")
    lost = [fault for viewer in facts.viewers for fault in _lost(viewer, paid)]
    if lost:
        return Failed(listed(lost))
    taken = sum(source.receipts_accepted for viewer in facts.viewers for source in viewer.sources)
    total = sum(record.receipt.bytes_delivered for _, record in sessions)
    verified = sum(viewer.bytes_delivered for viewer in facts.viewers)
    return Passed(
        f"all {taken:,} receipts that relays took are paid, for {total:,} of {verified:,} verified bytes "
        f"({100 * total / verified:.2f} %) and for none beyond"
    )


def _lost(viewer: ViewerFacts, paid: Mapping[SessionId, SessionRecord]) -> Iterator[str]:
    """Yield the relays that took more of the viewer's receipts than the newest paid ones cover.

    Sequences count a session's receipts, and only the last of a session can have been refused: then the viewer left.
    """
    for source in viewer.sources:
        if source.node is None:
            continue
        covered = sum(
            paid[session_id].receipt.sequence
            for session_id in source.sessions
            if session_id in paid
        )
        if covered < source.receipts_accepted:
            yield (
                f"relay 0x{source.node.hex()} took {source.receipts_accepted} receipts of {viewer.name}, "
                f"{covered} are paid"
            )
