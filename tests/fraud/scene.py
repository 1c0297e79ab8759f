"""One honest chain of epochs, as pure facts: what `stage.py` does on a real chain, with the same bytes.

Pools 1 to 5 open in epoch 0 and pool 6 in epoch 2. Pool 2 closes before epoch 2, pool 3 is idle, pool 4 gets other
terms and more money for epoch 2, pool 5 runs out of money in it.
"""

from dataclasses import dataclass, replace
from functools import cache

from streamrp2p.allocation import Terms
from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import GENESIS, Parent, PoolInput, Settlement, settle
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, Receipt
from streamrp2p.verify import Checked
from tests.support.chain import ONE_TOKEN, TICKET_SIGNER
from tests.support.sessions import known_key, make_record, make_ticket

GENESIS_TIME = 1_800_000_000
EPOCH_SECONDS = 60
DOMAIN = Domain(31337, Address(bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")))
"""Anvil's chain, with the book as the deployer's first contract."""
LAST_EPOCH = 2
GB = 10**9
FUNDS = 1000 * ONE_TOKEN
POOR_FUNDS = 70 * ONE_TOKEN

NODES = tuple(sorted(address_of(known_key(number)) for number in range(1, 12)))
"""In rising order. The last of them never earns."""
VIEWER_KEYS = tuple(known_key(number) for number in range(20, 23))
TERMS = Terms(10 * ONE_TOKEN, 500 * ONE_TOKEN, address_of(TICKET_SIGNER))
NEW_TERMS = replace(TERMS, price_per_gb=7 * ONE_TOKEN + 1)
OPEN_POOLS = ((1, 2, 3, 4, 5), (1, 2, 3, 4, 5), (1, 3, 4, 5, 6))
"""By epoch."""

Shape = tuple[int, int, int]
"""`(pool, node, bytes delivered)` of a session."""
SESSIONS: tuple[tuple[Shape, ...], ...] = (
    (
        *((1, node, 2 * GB + node) for node in (0, 1, 7, 8, 9)),
        (2, 0, GB),
        (2, 6, 3 * GB),
        (5, 1, 4 * GB),
    ),
    ((1, 0, GB), (1, 2, 3 * GB), (2, 6, GB + 1), (4, 3, 2 * GB)),
    (
        *((1, 0, (number + 1) * GB // 7) for number in range(20)),
        *((1, 1, (number + 2) * GB // 3) for number in range(3)),
        (1, 2, 2 * GB),
        (1, 3, GB),
        (1, 3, 3 * GB),
        (1, 4, 5),
        (4, 0, GB),
        (4, 0, 2 * GB),
        (4, 5, 3 * GB),
        (5, 1, 9 * GB),
        (6, 0, GB // 9),
        (6, 2, GB),
    ),
)


@dataclass(frozen=True, slots=True)
class Epoch:
    """A settled epoch of the honest chain, with what it was settled from."""

    number: int
    parent: Settlement | None
    pools: tuple[PoolInput, ...]
    records: tuple[SessionRecord, ...]
    settled: Settlement

    @property
    def parent_state(self) -> Parent:
        """The parent's state."""
        return parent_of(self.parent)


@cache
def honest(number: int) -> Epoch:
    """Return one epoch."""
    parent = honest(number - 1).settled if number else None
    records = tuple(record_of(number, shape, nonce) for nonce, shape in enumerate(SESSIONS[number]))
    pools = pool_inputs(number)
    settled = settle(DOMAIN, number, parent_of(parent), pools, map(Checked, records))
    return Epoch(number, parent, pools, records, settled)


def parent_of(parent: Settlement | None) -> Parent:
    """Return a parent's state."""
    return Parent.of(parent.header, parent.bundle) if parent else GENESIS


def pool_inputs(epoch: int) -> tuple[PoolInput, ...]:
    """Return what the chain says of the open pools."""
    return tuple(pool_input(pool_id, epoch) for pool_id in OPEN_POOLS[epoch])


def pool_input(pool_id: int, epoch: int) -> PoolInput:
    """Return a pool's terms and deposits in an epoch."""
    is_new = pool_id == 4 and epoch >= 2
    funds = POOR_FUNDS if pool_id == 5 else FUNDS * (2 if is_new else 1)
    return PoolInput(pool_id, NEW_TERMS if is_new else TERMS, funds)


def record_of(
    epoch: int,
    shape: Shape,
    nonce: int,
    *,
    sequence: int = 1,
    max_bytes: int = 10**12,
    on_time: int | None = None,
    ticket_epoch: int | None = None,
    ticket_key: bytes = TICKET_SIGNER,
) -> SessionRecord:
    """Return a record with right signatures; every third byte came late unless told."""
    pool_id, node, delivered = shape
    viewer_key = VIEWER_KEYS[nonce % len(VIEWER_KEYS)]
    ticket = make_ticket(
        pool_id=pool_id,
        epoch=epoch if ticket_epoch is None else ticket_epoch,
        node=NODES[node],
        viewer_key=viewer_key,
        issued_at=GENESIS_TIME + epoch * EPOCH_SECONDS,
        max_bytes=max_bytes,
        nonce=nonce,
    )
    return make_record(
        ticket,
        domain=DOMAIN,
        ticket_key=ticket_key,
        viewer_key=viewer_key,
        delivered=delivered,
        on_time=delivered - delivered // 3 if on_time is None else on_time,
        sequence=sequence,
    )


def resigned(record: SessionRecord, receipt: Receipt) -> SessionRecord:
    """Return the record with another receipt that its viewer signed, as one who colludes does."""
    key = next(key for key in VIEWER_KEYS if address_of(key) == record.ticket.viewer)
    return replace(record, receipt=receipt, receipt_signature=sign(receipt.digest(DOMAIN), key))
