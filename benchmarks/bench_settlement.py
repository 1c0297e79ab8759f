"""An epoch: what one session costs from the ledger to the header, and in the audit."""

from collections.abc import Iterator

from benchmarks.measurement import Measurement, measured
from benchmarks.sessions import DOMAIN, POOLS, POSTER, encoded_records
from streamrp2p.audit import ByteIdentical, audit
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import GENESIS, settle
from streamrp2p.verify import Checked

COUNT = 20_000
AUDITED = 1_000


def measure() -> Iterator[Measurement]:
    """Settle checked sessions; audit a smaller epoch, which is bound by its signatures."""
    checked = [Checked(SessionRecord.decode(record)) for record in encoded_records(COUNT)]
    yield measured(
        "settle a session", lambda: settle(DOMAIN, 0, GENESIS, POOLS, checked), items=COUNT
    )
    settled = settle(DOMAIN, 0, GENESIS, POOLS, checked[:AUDITED])
    data = settled.bundle.encode()

    def judge() -> None:
        verdict = audit(DOMAIN, settled.header, data, GENESIS, POOLS, POSTER)
        if not isinstance(verdict, ByteIdentical):
            raise AssertionError("the benchmark's epoch must be right")

    yield measured("audit a session", judge, items=AUDITED)
