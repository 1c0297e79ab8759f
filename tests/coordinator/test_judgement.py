"""Properties of judging records: what counts does not depend on how they are cut into batches."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from streamrp2p.epoch_clock import EpochClock
from streamrp2p.numbers import Address, SessionId
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, SessionTicket
from streamrp2p.verify import Checked, Code, Intake, PoolAtEpoch
from streamrp2p_coordinator.judgement import REASONS, judge
from tests.coordinator.actors import Viewer, known_key

DOMAIN = Domain(31337, Address(b"\x0b" * 20))
NODE = address_of(known_key(3))
TICKET_KEY, VIEWER_KEY = known_key(2), known_key(100)
NOW = 1_050


def viewer(nonce: int) -> Viewer:
    ticket = SessionTicket(1, 0, NODE, address_of(VIEWER_KEY), 10**6, 1_000, 1_060, nonce)
    return Viewer(ticket, sign(ticket.digest(DOMAIN), TICKET_KEY), DOMAIN, VIEWER_KEY)


VIEWERS = [viewer(nonce) for nonce in range(3)]
RECORDS = [
    one.record(sequence, delivered)
    for one in VIEWERS
    for sequence in range(1, 5)
    for delivered in (100 * sequence, 150 * sequence, 120)
]


def intake(earning_pools: set[int]) -> Intake:
    return Intake(
        domain=DOMAIN,
        clock=EpochClock(1_000, 100, 10),
        now=NOW,
        node=NODE,
        epoch=0,
        node_is_registered=True,
        pools={1: PoolAtEpoch(True, address_of(TICKET_KEY), 10_000)},
        earning_pools=earning_pools,
        rate_slack_seconds=5,
    )


def keep(batches: Sequence[Sequence[SessionRecord]]) -> dict[SessionId, Checked]:
    """Judge batches one after the other, as the ledger would."""
    known: dict[SessionId, Checked] = {}
    pools: set[int] = set()
    for records in batches:
        known |= judge(records, intake(pools), known, pools).changed
    return known


@settings(max_examples=40)
@given(records=st.lists(st.sampled_from(RECORDS), max_size=14), cut=st.integers(0, 14))
def test_cutting_records_into_batches_changes_nothing(
    records: list[SessionRecord], cut: int
) -> None:
    assert keep([records]) == keep([records[:cut], records[cut:]])


@settings(max_examples=40)
@given(records=st.lists(st.sampled_from(RECORDS), max_size=14))
def test_each_record_is_accepted_or_rejected_and_bytes_never_shrink(
    records: list[SessionRecord],
) -> None:
    pools: set[int] = set()
    judgement = judge(records, intake(pools), {}, pools)
    assert len(judgement.accepted) + len(judgement.rejected) == len(records)
    accepted = [records[at] for at in judgement.accepted]
    for session_id, kept in judgement.changed.items():
        own = [record.receipt for record in accepted if record.session_id == session_id]
        newest = max(receipt.sequence for receipt in own)
        lightest = min(receipt.bytes_delivered for receipt in own if receipt.sequence == newest)
        assert kept.record.receipt.sequence == newest
        assert kept.record.receipt.bytes_delivered == lightest


def test_each_code_has_its_reason() -> None:
    assert REASONS.keys() == set(Code)
    assert all(reason.endswith(".") for reason in REASONS.values())
