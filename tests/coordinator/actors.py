"""Nodes and viewers as the coordinator meets them: keys, registrations, records and batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from streamrp2p import api
from streamrp2p.numbers import Address
from streamrp2p.plain_tree import PlainTree
from streamrp2p.reachability import NodeCheck
from streamrp2p.receipt import SessionRecord, batch_leaf
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import (
    Domain,
    NodeRegistration,
    Receipt,
    ReceiptSubmission,
    SessionTicket,
)

IN_TIME = 1_080_000
"""A deadline for a world, whose time begins at 1 000 000: less than a day away."""


def known_key(number: int) -> bytes:
    """Return a private key that everybody knows."""
    return (0xC0FFEE_0000 + number).to_bytes(32)


@dataclass
class Node:
    """A node that signs registrations and batches."""

    key: bytes
    domain: Domain
    batch_number: int = 0

    @property
    def address(self) -> Address:
        return address_of(self.key)

    def registration(
        self,
        *,
        nonce: int = 0,
        endpoint: str = "http://127.0.0.1:8200",
        payout: Address | None = None,
        deadline: int = IN_TIME,
        signer: bytes | None = None,
    ) -> api.SignedRegistration:
        message = NodeRegistration(self.address, payout or self.address, endpoint, nonce, deadline)
        signature = sign(message.digest(self.domain), signer or self.key)
        return api.SignedRegistration(
            registration=api.NodeRegistration(
                node=message.node,
                payout=message.payout,
                endpoint=message.endpoint,
                nonce=nonce,
                deadline=deadline,
            ),
            signature=signature,
        )

    def check(
        self,
        requested_at: int,
        *,
        endpoint: str = "http://127.0.0.1:8200",
        signer: bytes | None = None,
    ) -> api.SignedNodeCheck:
        message = NodeCheck(self.address, endpoint, requested_at)
        return api.SignedNodeCheck(
            check=api.NodeCheck(node=message.node, endpoint=endpoint, requested_at=requested_at),
            signature=sign(message.digest(self.domain), signer or self.key),
        )

    def batch(
        self,
        epoch: int,
        records: Sequence[SessionRecord | bytes],
        *,
        number: int | None = None,
        signer: bytes | None = None,
    ) -> api.Batch:
        encoded = [record if isinstance(record, bytes) else record.encode() for record in records]
        if number is None:
            number = self.batch_number
            self.batch_number += 1
        root = PlainTree([batch_leaf(data) for data in encoded]).root
        message = ReceiptSubmission(self.address, epoch, number, root, len(encoded))
        return api.Batch(
            submission=api.ReceiptSubmission(
                node=message.node,
                epoch=epoch,
                batch_number=number,
                batch_root=root,
                count=len(encoded),
            ),
            signature=sign(message.digest(self.domain), signer or self.key),
            records=b"".join(encoded),
        )


@dataclass
class Viewer:
    """A viewer in one session."""

    ticket: SessionTicket
    ticket_signature: bytes
    domain: Domain
    key: bytes = field(default_factory=lambda: known_key(100))

    def record(
        self,
        sequence: int,
        delivered: int,
        on_time: int | None = None,
        *,
        signed_at: int | None = None,
        key: bytes | None = None,
    ) -> SessionRecord:
        receipt = Receipt(
            self.ticket.session_id,
            sequence,
            delivered,
            delivered if on_time is None else on_time,
            sequence,
            self.ticket.issued_at + 1 if signed_at is None else signed_at,
        )
        signature = sign(receipt.digest(self.domain), key or self.key)
        return SessionRecord(self.ticket, self.ticket_signature, receipt, signature)  # type: ignore[arg-type]
