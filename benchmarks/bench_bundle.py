"""The bundle: what one session costs in writing, hashing and reading."""

from collections.abc import Iterator

from benchmarks.measurement import Measurement, measured
from benchmarks.sessions import DOMAIN, POOLS, encoded_records
from streamrp2p.bundle import decode_bundle
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import GENESIS, settle
from streamrp2p.verify import Checked

COUNT = 20_000


def measure() -> Iterator[Measurement]:
    """Encode, hash and decode one bundle."""
    checked = [Checked(SessionRecord.decode(record)) for record in encoded_records(COUNT)]
    bundle = settle(DOMAIN, 0, GENESIS, POOLS, checked).bundle
    data = bundle.encode()
    yield measured("encode a session", bundle.encode, items=COUNT)
    yield measured("hash a session", bundle.data_hash, items=COUNT)
    yield measured("decode a session", lambda: decode_bundle(data), items=COUNT)
