"""Batches as nodes hand them in, to be signed by other processes while the coordinator is kept busy. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, Receipt, SessionTicket
from tests.coordinator.actors import Node, known_key
from tests.support.chain import TICKET_SIGNER

NODES = 50
VIEWER_KEYS = 1000
"""Keys are thrown away by viewers, but here they are used again: making one costs more than two signatures."""
TICKET_SECONDS = 60
"""The last receipt is signed in the last of them: no more than the 120 s that intake lets a clock run ahead."""
BYTES = 5_000_000
"""About what a session of a minute delivers in the last receipt of its batch; they differ by a little."""


@dataclass(frozen=True, slots=True)
class Order:
    """A batch to be made: `count` sessions of one node, with tickets of `issued_at`, numbered from `nonce`."""

    epoch: int
    issued_at: int
    expires_at: int
    node: int
    number: int
    nonce: int
    count: int
    pools: int


@dataclass(frozen=True, slots=True)
class Handover:
    """A batch as it is sent, and what it must be settled as: weighted bytes by `(pool id, node)`."""

    body: bytes
    count: int
    weights: dict[tuple[int, bytes], int]


def orders(
    epoch: int, starts_at: int, ends_at: int, *, sessions: int, batch: int, pools: int
) -> Iterator[Order]:
    """Cut an epoch's sessions into batches, one node after the other."""
    for number, first in enumerate(range(0, sessions, batch)):
        yield Order(
            epoch,
            starts_at,
            min(ends_at, starts_at + TICKET_SECONDS),
            number % NODES,
            number // NODES,
            first,
            min(batch, sessions - first),
            pools,
        )


def make(order: Order, domain: Domain) -> Handover:
    """Sign an order's tickets, receipts and submission."""
    node = node_of(order.node, domain)
    records = []
    weights: Counter[tuple[int, bytes]] = Counter()
    for nonce in range(order.nonce, order.nonce + order.count):
        record = _record(order, nonce, node, domain)
        records.append(record)
        weights[record.ticket.pool_id, node.address] += record.weight
    batch = node.batch(order.epoch, records, number=order.number)
    return Handover(batch.model_dump_json(by_alias=True).encode(), order.count, dict(weights))


def node_of(number: int, domain: Domain) -> Node:
    """Return one of the NODES."""
    return Node(known_key(1_000_000 + number), domain)


def _record(order: Order, nonce: int, node: Node, domain: Domain) -> SessionRecord:
    key, viewer = _viewer(nonce % VIEWER_KEYS)
    ticket = SessionTicket(
        1 + nonce % order.pools,
        order.epoch,
        node.address,
        viewer,
        2 * BYTES,
        order.issued_at,
        order.expires_at,
        nonce,
    )
    delivered = BYTES + nonce % 1000
    receipt = Receipt(
        ticket.session_id, 9, delivered, delivered - nonce % 7, 9, order.expires_at - 1
    )
    return SessionRecord(
        ticket,
        sign(ticket.digest(domain), TICKET_SIGNER),
        receipt,
        sign(receipt.digest(domain), key),
    )


@cache
def _viewer(number: int) -> tuple[bytes, Address]:
    key = known_key(2_000_000 + number)
    return key, address_of(key)
