"""Intake: what one session record costs until it is checked."""

from collections.abc import Iterator

from benchmarks.measurement import Measurement, measured
from benchmarks.sessions import DOMAIN, ISSUED_AT, POOLS, TICKET_KEY, encoded_records
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import address_of
from streamrp2p.verify import Checked, Intake, PoolAtEpoch, Rejected, verify

COUNT = 500


def measure() -> Iterator[Measurement]:
    """Decode, then verify with a ticket that is new and with one that is known."""
    encoded = [record for record in encoded_records(50 * COUNT) if record[12:32].endswith(b"\xe8")]
    encoded = encoded[:COUNT]
    yield measured("decode a record", lambda: list(map(SessionRecord.decode, encoded)), items=COUNT)
    records = list(map(SessionRecord.decode, encoded))
    pool = PoolAtEpoch(
        is_open=True, ticket_signer=address_of(TICKET_KEY), max_bytes_per_second=10**9
    )
    intake = Intake(
        domain=DOMAIN,
        clock=EpochClock(ISSUED_AT, 600, 60),
        now=ISSUED_AT + 300,
        node=records[0].ticket.node,
        epoch=0,
        node_is_registered=True,
        pools={each.pool_id: pool for each in POOLS},
        earning_pools=frozenset(),
        rate_slack_seconds=5,
    )
    if any(isinstance(verify(record, intake), Rejected) for record in records):
        raise AssertionError("the benchmark's records must be valid")
    yield measured(
        "verify a record, new ticket",
        lambda: [verify(record, intake) for record in records],
        items=COUNT,
    )
    yield measured(
        "verify a record, known ticket",
        lambda: [verify(record, intake, Checked(record)) for record in records],
        items=COUNT,
    )
