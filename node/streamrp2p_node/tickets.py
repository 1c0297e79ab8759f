"""Whether a ticket admits its viewer to this node now. Pure; the rules are those that intake will judge by."""

from dataclasses import dataclass

from streamrp2p.epoch_clock import EpochClock
from streamrp2p.errors import SignatureError
from streamrp2p.numbers import Address, Signature
from streamrp2p.signatures import check_signer
from streamrp2p.typed_data import Domain, SessionTicket
from streamrp2p_node.errors import Reason, RefusedError

EARLY_SECONDS = 5
"""A ticket's epoch and issue may lie so far ahead: clocks differ a little."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The facts that a ticket is judged by; `now` in Unix seconds."""

    node: Address
    domain: Domain
    clock: EpochClock
    ticket_signer: Address
    now: int


def serving_ends(ticket: SessionTicket, clock: EpochClock) -> int:
    """Return the first second at which a session is served no more.

    A session may outlive its epoch by half of the grace time, so that its last receipts still reach the coordinator.
    """
    return min(ticket.expires_at, clock.end(ticket.epoch) + clock.intake_grace_seconds // 2)


def check_ticket(ticket: SessionTicket, signature: Signature, gate: Gate) -> None:
    """Raise RefusedError unless the ticket is for this node, for now, and signed by the pool's ticket signer."""
    if ticket.node != gate.node:
        raise RefusedError(
            Reason.TICKET_FOR_OTHER_NODE,
            f"the ticket is for node 0x{ticket.node.hex()}, this is 0x{gate.node.hex()}; "
            "use the endpoint that came with the ticket",
        )
    if gate.now >= serving_ends(ticket, gate.clock):
        raise RefusedError(
            Reason.TICKET_EXPIRED,
            f"the ticket or its epoch {ticket.epoch} is over; ask the coordinator for a new ticket",
        )
    begins = max(gate.clock.start(ticket.epoch), ticket.issued_at)
    if gate.now + EARLY_SECONDS < begins:
        raise RefusedError(
            Reason.TICKET_INVALID,
            f"the ticket holds from {begins} on, it is {gate.now}; check the clocks",
        )
    try:
        check_signer(
            ticket.digest(gate.domain), signature, gate.ticket_signer, "the pool's ticket signer"
        )
    except SignatureError as error:
        raise RefusedError(
            Reason.TICKET_INVALID,
            f"the ticket's signature is refused: {error}; ask the coordinator for a new ticket",
        ) from error
