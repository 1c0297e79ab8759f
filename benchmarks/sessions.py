"""Sessions to measure with: many viewers and nodes in some pools, all signatures real."""

from functools import cache

from streamrp2p.allocation import Terms
from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import PoolInput
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, Receipt, SessionTicket

DOMAIN = Domain(31337, Address(b"\1" * 20))
TICKET_KEY = (1).to_bytes(32)
POSTER = address_of((2).to_bytes(32))
VIEWER_KEY = (3).to_bytes(32)
POOLS = tuple(
    PoolInput(pool_id, Terms(10**12, 10**24, address_of(TICKET_KEY)), 10**27)
    for pool_id in range(1, 6)
)
NODES = 50
ISSUED_AT = 1_700_000_000


@cache
def encoded_records(count: int) -> tuple[bytes, ...]:
    """Return `count` session records of epoch 0, of 274 bytes each."""
    viewer = address_of(VIEWER_KEY)
    records = []
    for nonce in range(count):
        pool_id, node = 1 + nonce % len(POOLS), Address((1000 + nonce % NODES).to_bytes(20))
        ticket = SessionTicket(pool_id, 0, node, viewer, 10**12, ISSUED_AT, ISSUED_AT + 300, nonce)
        receipt = Receipt(ticket.session_id, 9, 10**8 + nonce, 10**8, 9, ISSUED_AT + 250)
        record = SessionRecord(
            ticket,
            sign(ticket.digest(DOMAIN), TICKET_KEY),
            receipt,
            sign(receipt.digest(DOMAIN), VIEWER_KEY),
        )
        records.append(record.encode())
    return tuple(records)
